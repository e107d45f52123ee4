//go:build cgo

package main

import (
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// library loads ONNX Runtime, once a process.
type library struct {
	mu     sync.Mutex
	loaded bool
}

var onnx library

// load loads the library of a folder. One that could not be loaded is tried
// again: it may have been pulled meanwhile.
func (l *library) load(from *localmodel.Model) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded {
		return nil
	}
	if err := from.Verify(); err != nil {
		return err
	}
	ort.SetSharedLibraryPath(from.Path(localmodel.RuntimeFile))
	if err := ort.InitializeEnvironment(); err != nil {
		return fmt.Errorf("load %s: %w", from.Path(localmodel.RuntimeFile), err)
	}
	l.loaded = true
	return nil
}

// network is a model that is loaded. Safe for concurrent use.
type network struct {
	session *ort.DynamicAdvancedSession
	inputs  []string
}

func loadNetwork(m *localmodel.Model) (*network, error) {
	opts, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w", m.Name, err)
	}
	defer func() { _ = opts.Destroy() }()
	// One thread a text: several texts are computed side by side instead, which
	// is faster than several threads on small matrices.
	for _, err := range []error{
		opts.SetIntraOpNumThreads(1), opts.SetInterOpNumThreads(1),
		// Lengths differ from call to call: a plan of memory for each would pile up.
		opts.SetMemPattern(false), opts.SetCpuMemArena(false),
	} {
		if err != nil {
			return nil, fmt.Errorf("load model %s: %w", m.Name, err)
		}
	}
	session, err := ort.NewDynamicAdvancedSession(m.Path(localmodel.ModelFile), m.Inputs, []string{m.Output}, opts)
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w", m.Name, err)
	}
	return &network{session: session, inputs: m.Inputs}, nil
}

// run computes what the network makes of the tokens of one text. hand gets the
// output, row by row, and must not keep it.
//
// One text at a time, because the models are quantised dynamically: the scale of
// a batch depends on all texts in it, and a passage must have one vector,
// whatever it was sent along with (a batch of four moved vectors to a cosine of
// .989 of their own, and was no faster on a processor).
func (n *network) run(ids []int64, hand func(shape []int64, values []float32)) error {
	ones := make([]int64, len(ids))
	for i := range ones {
		ones[i] = 1
	}
	given := map[string][]int64{"input_ids": ids, "attention_mask": ones, "token_type_ids": make([]int64, len(ids))}
	inputs := make([]ort.Value, len(n.inputs))
	defer func() {
		for _, v := range inputs {
			if v != nil {
				_ = v.Destroy()
			}
		}
	}()
	for i, name := range n.inputs {
		tensor, err := ort.NewTensor(ort.NewShape(1, int64(len(ids))), given[name])
		if err != nil {
			return fmt.Errorf("input %s: %w", name, err)
		}
		inputs[i] = tensor
	}
	outputs := []ort.Value{nil}
	if err := n.session.Run(inputs, outputs); err != nil {
		return err
	}
	defer func() { _ = outputs[0].Destroy() }()
	out, ok := outputs[0].(*ort.Tensor[float32])
	if !ok {
		return fmt.Errorf("the output is %T, not of numbers", outputs[0])
	}
	hand(out.GetShape(), out.GetData())
	return nil
}
