"""As much of PostgreSQL's protocol as one client on a local socket needs."""
import decimal
import socket
import struct

INTEGERS = {20, 21, 23, 26}
FLOATS = {700, 701, 1700}


class Refused(Exception):
    def __init__(self, fields):
        self.message = fields.get("M", "refused")
        self.code = fields.get("C", "")
        self.position = int(fields["P"]) if fields.get("P", "").isdigit() else None
        self.severity = fields.get("V", fields.get("S", "ERROR"))
        super().__init__(self.message)


class Connection:
    def __init__(self, path, user, database, **settings):
        self.status = b"I"
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.stream = self.sock.makefile("rb", 1 << 16)
        pairs = dict(settings, user=user, database=database, client_encoding="UTF8")
        body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs.items()) + b"\0"
        self.sock.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
        for _ in self.messages(None):
            pass

    def receive(self):
        head = self.stream.read(5)
        if len(head) < 5:
            raise ConnectionError("the server closed the connection")
        return head[:1], self.stream.read(struct.unpack("!i", head[1:])[0] - 4)

    def messages(self, refused):
        """Yields until the server is ready again; raises the first refusal then."""
        while True:
            kind, body = self.receive()
            if kind == b"E":
                fields = {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
                refused = refused or Refused(fields)
                if refused.severity in ("FATAL", "PANIC"):
                    raise refused
            elif kind == b"G":  # COPY FROM STDIN: there is nothing to give
                self.send(b"f", b"there is no input here\0")
            elif kind == b"Z":
                self.status = body
                if refused:
                    raise refused
                return
            else:
                yield kind, body

    def send(self, kind, body):
        self.sock.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def query(self, text, table=None):
        """Runs statements; table(columns) is asked for something to add the
        rows of each result to. Returns what the last result was added to."""
        self.send(b"Q", text.encode("utf-8", "replace").replace(b"\0", b"?") + b"\0")
        target, types = None, []
        for kind, body in self.messages(None):
            if kind == b"T" and table:
                columns, types = self.description(body)
                target = table(columns)
            elif kind == b"D" and target is not None:
                target.add(self.row(body, types))
        return target

    @staticmethod
    def description(body):
        columns, types, at = [], [], 2
        for _ in range(struct.unpack_from("!h", body)[0]):
            end = body.index(b"\0", at)
            columns.append(body[at:end].decode("utf-8", "replace"))
            types.append(struct.unpack_from("!i", body, end + 7)[0])
            at = end + 19
        return columns, types

    @staticmethod
    def row(body, types):
        out, at = [], 2
        for kind in types:
            size = struct.unpack_from("!i", body, at)[0]
            at += 4
            if size < 0:
                out.append(None)
                continue
            text = body[at:at + size].decode("utf-8", "replace")
            at += size
            if kind == 16:
                out.append(text == "t")
            elif kind in INTEGERS:
                out.append(int(text))
            elif kind in FLOATS:
                out.append(float(text) if kind != 1700 or text in ("NaN", "Infinity", "-Infinity") else decimal.Decimal(text))
            elif kind == 17:
                out.append(bytes.fromhex(text[2:]))
            else:
                out.append(text)
        return out

    def close(self):
        try:
            self.send(b"X", b"")
        except OSError:
            pass
        self.stream.close()
        self.sock.close()
