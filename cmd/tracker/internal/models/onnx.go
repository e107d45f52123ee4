package models

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The types of ONNX that are used.
const (
	typeFloat = 1
	typeInt8  = 3
	typeInt64 = 7
	typeInt4  = 22
)

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"

// graph is a network that is being written in ONNX's protobuf.
type graph struct {
	nodes, weights []byte
	errs           []error
}

// message appends a field that holds a message or bytes.
func message(to []byte, field protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), body)
}

func text(to []byte, field protowire.Number, s string) []byte { return message(to, field, []byte(s)) }

func integer(to []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), uint64(n))
}

// weight adds a constant tensor and returns its name.
func (g *graph) weight(name string, kind int, data []byte, dims ...int) string {
	var t []byte
	for _, d := range dims {
		t = integer(t, 1, d)
	}
	t = message(text(integer(t, 2, kind), 8, name), 9, data)
	g.weights = message(g.weights, 5, t)
	return name
}

// node adds an operator with one output, and returns its name. Attributes are
// ints or float32s.
func (g *graph) node(domain, op, output string, attributes map[string]any, order []string, inputs ...string) string {
	var n []byte
	for _, in := range inputs {
		n = text(n, 1, in)
	}
	n = text(text(n, 2, output), 4, op)
	for _, name := range order {
		a := text(nil, 1, name)
		switch v := attributes[name].(type) {
		case int:
			a = integer(integer(a, 3, v), 20, 2)
		case float32:
			a = protowire.AppendFixed32(protowire.AppendTag(a, 2, protowire.Fixed32Type), math.Float32bits(v))
			a = integer(a, 20, 1)
		}
		n = message(n, 5, a)
	}
	if domain != "" {
		n = text(n, 7, domain)
	}
	g.nodes = message(g.nodes, 1, n)
	return output
}

// value describes an input or output.
func value(name string, kind int, dims ...string) []byte {
	var shape []byte
	for _, d := range dims {
		shape = message(shape, 1, text(nil, 2, d))
	}
	tensor := message(integer(nil, 1, kind), 2, shape)
	return message(text(nil, 1, name), 2, message(nil, 1, tensor))
}

// finish returns the model.
func (g *graph) finish(name string, input, output []byte) ([]byte, error) {
	if err := errors.Join(g.errs...); err != nil {
		return nil, err
	}
	body := append(text(g.nodes, 2, name), g.weights...)
	body = message(message(body, 11, input), 12, output)
	out := text(integer(nil, 1, 10), 2, "goals-tracker")
	out = message(out, 7, body)
	out = message(out, 8, integer(text(nil, 1, ""), 2, 21))
	return message(out, 8, integer(text(nil, 1, microsoft), 2, 1)), nil
}

// onnx writes the encoder: embeddings, then layers of attention and of a wide
// inner layer, each added to what went in and normalised. It takes the tokens of
// one text, so there is nothing to mask.
func (m *e5) onnx() ([]byte, error) {
	g := &graph{}
	floats := func(name string, n int) string {
		data, err := m.floats(name, n)
		g.errs = append(g.errs, err)
		return g.weight(name, typeFloat, data, n)
	}
	norm := func(op, domain, output, name string, inputs ...string) string {
		attributes, order := map[string]any{"epsilon": m.epsilon}, []string{"epsilon"}
		inputs = append(inputs, floats(name+".w", m.hidden), floats(name+".b", m.hidden))
		return g.node(domain, op, output, attributes, order, inputs...)
	}
	linear := func(in, name string, rows, n int) string {
		blocks, err := m.matrix(name+".w", rows, n)
		if err != nil {
			g.errs = append(g.errs, err)
			return ""
		}
		weights, scales := columns(blocks, rows, n)
		return g.node(microsoft, "DynamicQuantizeMatMul", name, nil, nil, in,
			g.weight(name+".w", typeInt8, weights, n, rows), g.weight(name+".s", typeFloat, scales, rows),
			g.weight(name+".z", typeInt8, make([]byte, rows), rows), floats(name+".b", rows))
	}
	x := norm("LayerNormalization", "", "embedded", "emb.ln", m.embeddings(g))
	for l := range m.layers {
		at := fmt.Sprintf("l%d.", l)
		heads := map[string]any{"num_heads": m.heads}
		attention := g.node(microsoft, "MultiHeadAttention", at+"attention", heads, []string{"num_heads"},
			linear(x, at+"q", m.hidden, m.hidden), linear(x, at+"k", m.hidden, m.hidden), linear(x, at+"v", m.hidden, m.hidden))
		y := norm("SkipLayerNormalization", microsoft, at+"attended", at+"aln", x, linear(attention, at+"ao", m.hidden, m.hidden))
		inner := g.node(microsoft, "Gelu", at+"inner", nil, nil, linear(y, at+"fi", m.inner, m.hidden))
		output := at + "out"
		if l == m.layers-1 {
			output = "last_hidden_state"
		}
		x = norm("SkipLayerNormalization", microsoft, output, at+"oln", y, linear(inner, at+"fo", m.hidden, m.inner))
	}
	return g.finish("multilingual-e5-small",
		value("input_ids", typeInt64, "texts", "tokens"),
		value("last_hidden_state", typeFloat, "texts", "tokens", "hidden"))
}

// embeddings adds up those of the words and of their places. There is one kind
// of token only, whose embedding is added to each place once and for all.
func (m *e5) embeddings(g *graph) string {
	table, err := m.matrix("emb.word", m.vocab, m.hidden)
	places, err2 := m.floats("emb.pos", m.positions*m.hidden)
	kind, err3 := m.floats("emb.type", 2*m.hidden)
	if err := errors.Join(err, err2, err3); err != nil {
		g.errs = append(g.errs, err)
		return ""
	}
	at := func(data []byte, i int) float32 {
		return math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	sums := make([]byte, 0, len(places))
	for i := range m.positions * m.hidden {
		sums = binary.LittleEndian.AppendUint32(sums, math.Float32bits(at(places, i)+at(kind, i%m.hidden)))
	}
	weights, scales := words(table)
	gather := map[string]any{"block_size": blockWeights, "gather_axis": 0, "quantize_axis": 1}
	word := g.node(microsoft, "GatherBlockQuantized", "words", gather, []string{"block_size", "gather_axis", "quantize_axis"},
		g.weight("emb.word", typeInt4, weights, m.vocab, m.hidden), "input_ids",
		g.weight("emb.word.s", typeFloat, scales, m.vocab, m.hidden/blockWeights))
	long := func(name string, n byte) string {
		return g.weight(name, typeInt64, []byte{n, 0, 0, 0, 0, 0, 0, 0}, 1)
	}
	span := map[string]any{"start": 1, "end": 2}
	place := g.node("", "Slice", "places", nil, nil, g.weight("emb.pos", typeFloat, sums, 1, m.positions, m.hidden),
		long("zero", 0), g.node("", "Shape", "length", span, []string{"start", "end"}, "input_ids"), long("one", 1))
	return g.node("", "Add", "summed", nil, nil, word, place)
}
