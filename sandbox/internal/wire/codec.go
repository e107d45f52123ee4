package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Kind says what a frame carries.
type Kind byte

// Frames from the host, then frames from pid 1.
const (
	KindBoot Kind = iota + 1
	KindFile
	KindJob
	KindGo
	KindStop
	// KindWarm is a Job that starts now and becomes another with the next Job.
	KindWarm
	// KindAdmit lets a forked process go on, once it is in its cgroup.
	KindAdmit

	// KindBorn comes from the process that will be pid 1 of a forked room.
	KindBorn
	KindReady
	// KindWarmed says that the warm-up program was executed.
	KindWarmed
	KindStarted
	KindExited
	KindCollected
	KindDone
	KindFail
)

// ErrMalformed marks bytes that no honest peer writes.
var ErrMalformed = errors.New("malformed frame")

const headerSize = 5

// WriteFrame sends one frame in a single write where the writer allows it.
func WriteFrame(w io.Writer, kind Kind, body []byte) error {
	frame := make([]byte, headerSize+len(body))
	binary.LittleEndian.PutUint32(frame, uint32(len(body)))
	frame[4] = byte(kind)
	copy(frame[headerSize:], body)
	_, err := w.Write(frame)
	return err
}

// ReadFrame reads one frame whose body is at most limit bytes long. It returns
// io.EOF when the peer is gone between two frames.
func ReadFrame(r io.Reader, limit int) (Kind, []byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	size := binary.LittleEndian.Uint32(header[:])
	if int64(size) > int64(limit) {
		return 0, nil, fmt.Errorf("%w: body of %d bytes where at most %d are allowed", ErrMalformed, size, limit)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return Kind(header[4]), body, nil
}

type encoder struct{ buf []byte }

func (e *encoder) uint(v uint64) { e.buf = binary.AppendUvarint(e.buf, v) }
func (e *encoder) int(v int64)   { e.buf = binary.AppendVarint(e.buf, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.buf = append(e.buf, 1)
		return
	}
	e.buf = append(e.buf, 0)
}

func (e *encoder) bytes(v []byte) {
	e.uint(uint64(len(v)))
	e.buf = append(e.buf, v...)
}

func (e *encoder) string(v string) {
	e.uint(uint64(len(v)))
	e.buf = append(e.buf, v...)
}

func (e *encoder) strings(v []string) {
	e.uint(uint64(len(v)))
	for _, s := range v {
		e.string(s)
	}
}

// decoder keeps its first error, so that callers read fields in a row and ask
// once; after an error every field is zero.
type decoder struct {
	buf []byte
	err error
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = ErrMalformed
	}
	d.buf = nil
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.buf)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.buf)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) bool() bool {
	if len(d.buf) == 0 || d.buf[0] > 1 {
		d.fail()
		return false
	}
	v := d.buf[0] == 1
	d.buf = d.buf[1:]
	return v
}

// bytes returns a view of the frame, not a copy: frames are never reused.
func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.buf)) {
		d.fail()
		return nil
	}
	v := d.buf[:n:n]
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) string() string { return string(d.bytes()) }

// count reads the length of a list. Each element takes a byte at least, so a
// count beyond what is left can't be honest and must not be allocated.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.buf)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) strings() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	v := make([]string, 0, n)
	for range n {
		v = append(v, d.string())
	}
	return v
}

func (d *decoder) done() error {
	if d.err == nil && len(d.buf) != 0 {
		d.err = fmt.Errorf("%w: %d bytes too many", ErrMalformed, len(d.buf))
	}
	return d.err
}
