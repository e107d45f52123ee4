package pluginhost

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// Kind is a family of plugins that speak one protocol; C is the client that
// calls are made with.
type Kind[C any] struct {
	// Name as in Plugin.Kind.
	Name string
	// Versions makes a client on a connection, by protocol version. A host has
	// the newest version and the one before it.
	Versions map[int]func(conn grpc.ClientConnInterface, hostVersion string) C
	// Describe asks a plugin what it is; called once a start, within 5s.
	Describe func(ctx context.Context, client C) (Description, error)
}

// Description is what a plugin says about itself.
type Description struct {
	Name    string
	Version string
	// Detail is the kind's own description: *judging.Description for validators.
	Detail any
}

// AnyKind is a Kind of whatever client.
type AnyKind interface {
	kindName() string
	protocolVersions() []int
	connect(version int, conn grpc.ClientConnInterface, hostVersion string) any
	describe(ctx context.Context, client any) (Description, error)
}

func (k Kind[C]) kindName() string { return k.Name }

func (k Kind[C]) protocolVersions() []int {
	return slices.Sorted(maps.Keys(k.Versions))
}

func (k Kind[C]) connect(version int, conn grpc.ClientConnInterface, hostVersion string) any {
	return k.Versions[version](conn, hostVersion)
}

func (k Kind[C]) describe(ctx context.Context, client any) (Description, error) {
	return k.Describe(ctx, client.(C)) //nolint:forcetypeassert // connect made it
}

// Handle calls one plugin. It stays good over crashes and restarts.
type Handle[C any] struct {
	slot *slot
	hold *hold // nil but for a handle of a run
}

// Get returns a handle on an enabled plugin of that kind, without starting it.
func Get[C any](h *Host, kind Kind[C], name string) (*Handle[C], error) {
	s, ok := h.slot(name)
	if !ok || s.kind.kindName() != kind.Name {
		return nil, &CallError{Plugin: name, Op: "get", Reason: ErrUnknown,
			Err: fmt.Errorf("no %s plugin %q is enabled; enabled are %v", kind.Name, name, h.Names(kind.Name))}
	}
	return &Handle[C]{slot: s}, nil
}

// Do starts the plugin if it does not run, and calls fn with a client and a
// context that ends after timeout at the latest. fn may be a whole stream. op
// is for errors and logs. Every error is a *CallError.
//
// A plugin that lets the timeout pass is replaced: it finishes what else it is
// doing, while new calls go to a new process.
func (h *Handle[C]) Do(ctx context.Context, op string, timeout time.Duration, fn func(ctx context.Context, client C) error) error {
	return h.slot.do(ctx, h.hold, op, timeout, func(ctx context.Context, client any) error {
		return fn(ctx, client.(C)) //nolint:forcetypeassert // the kind's connect made it
	})
}

// Hold starts the plugin if it does not run, and returns a handle for one run
// of several calls: all of them go to the same binary, also when another is
// installed meanwhile. done gives it free again.
func (h *Handle[C]) Hold(ctx context.Context) (run *Handle[C], done func(), err error) {
	inst, err := h.slot.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	var once sync.Once
	return &Handle[C]{slot: h.slot, hold: &hold{inst}}, func() { once.Do(func() { h.slot.release(inst) }) }, nil
}

// Description starts the plugin if it does not run, and returns what it said
// about itself.
func (h *Handle[C]) Description(ctx context.Context) (Description, error) {
	inst, err := h.slot.acquireFor(ctx, h.hold)
	if err != nil {
		return Description{}, err
	}
	defer h.slot.release(inst)
	return inst.desc, nil
}
