"""What a plugin owes its host before the first call, in any language.

The host starts the program with these variables and reads one line of its
standard output: 1|protocol version|unix|socket|grpc|certificate
"""

import base64
import datetime
import os
import sys
import tempfile
import threading
import time
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SPEAKS = {1}  # versions of the validators' protocol
COOKIE = ("TRACKER_PLUGIN", "goals-tracker-plugin-f7a1c3")
MAX_MESSAGE = 32 << 20


def serve(about, register):
    """Serves until the host ends the process, or is gone."""
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit(f"{about}\nThe tracker starts it; by itself it does nothing: tracker plugin check {sys.argv[0]}")
    if os.environ.get("TRACKER_PLUGIN_KIND", "validator") != "validator":
        sys.exit(f"{about}\nIt can't be used as another kind of plugin: change its kind in the configuration.")
    offered = {int(v) for v in os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "1").split(",")}
    # With nothing in common it names what it speaks, and the host says what to do.
    version = max(SPEAKS & offered or SPEAKS)
    threading.Thread(target=watch_host, daemon=True).start()

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)],
    )
    register(server)
    healthy = health.HealthServicer()
    healthy.set("plugin", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)

    folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp()
    socket = os.path.join(folder, "plugin.sock")
    credentials, certificate = mutual_tls()
    if credentials is None:
        server.add_insecure_port("unix:" + socket)
    else:
        server.add_secure_port("unix:" + socket, credentials)
    server.start()
    print(f"1|{version}|unix|{socket}|grpc|{certificate}", flush=True)
    server.wait_for_termination()


def watch_host():
    """Ends the process soon after its host, however that ended."""
    host = int(os.environ.get("TRACKER_PLUGIN_HOST_PID") or os.getppid())
    while os.getppid() == host:
        time.sleep(0.5)
    os._exit(0)


def mutual_tls():
    """Lets in nobody but the owner of the host's certificate."""
    hosts = os.environ.get("PLUGIN_CLIENT_CERT")
    if not hosts:
        return None, ""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    credentials = grpc.ssl_server_credentials(
        [(private, certificate.public_bytes(pem))], root_certificates=hosts.encode(), require_client_auth=True
    )
    # The line can't hold PEM: it is base64 of DER, without padding.
    der = certificate.public_bytes(serialization.Encoding.DER)
    return credentials, base64.b64encode(der).decode().rstrip("=")
