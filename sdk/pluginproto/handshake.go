package pluginproto

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

const (
	// MaxMessage bounds a message in either direction, in bytes.
	MaxMessage = 32 << 20
	// CookieKey names the variable that tells a plugin that a tracker started it.
	CookieKey = "TRACKER_PLUGIN"
	// CookieValue is its value: a courtesy to people who start a plugin by hand,
	// not a secret.
	CookieValue = "goals-tracker-plugin-f7a1c3"
	// EnvKind names the kind of plugin that the host expects: "validator".
	EnvKind = "TRACKER_PLUGIN_KIND"
	// EnvHostPID is the process id of the host. A plugin whose parent is another
	// process ends itself: its host has died.
	EnvHostPID = "TRACKER_PLUGIN_HOST_PID"

	// KindValidator is the kind of plugins that judge code.
	KindValidator = "validator"
	// KindLLM is the kind of plugins that reach language models.
	KindLLM = "llm"

	// ValidatorVersion is the newest version of the validators' protocol; a host
	// speaks Spoken(ValidatorVersion).
	ValidatorVersion = 1
	// LLMVersion is the newest version of the LLM plugins' protocol; the same holds.
	LLMVersion = 1
)

// Spoken returns the versions that a host speaks, the lowest first: the newest
// and, so that a tracker can be updated before its plugins, the one before.
func Spoken(newest int) []int {
	if newest <= 1 {
		return []int{1}
	}
	return []int{newest - 1, newest}
}

// Incompatible is what a host says of a plugin that answered with a version
// which it was not offered. It names both sides and what to do.
func Incompatible(kind string, theirs int, ours []int) error {
	what := fmt.Errorf("it speaks version %d of the %s protocol, this tracker speaks %s", theirs, kind, listed(ours))
	if theirs > slices.Max(ours) {
		return fmt.Errorf("%w: update the tracker, or install a version of the plugin that was made for it", what)
	}
	return fmt.Errorf("%w: update the plugin, or build it with the SDK of this tracker", what)
}

// incompatible reads go-plugin's error; ok is false when it is another.
func incompatible(err error) (theirs int, ok bool) {
	_, rest, found := strings.Cut(err.Error(), "incompatible API version with plugin. Plugin version: ")
	if !found {
		return 0, false
	}
	_, scanned := fmt.Sscanf(rest, "%d", &theirs)
	return theirs, scanned == nil
}

// ExplainStart turns go-plugin's error about versions into Incompatible, and
// leaves others as they are.
func ExplainStart(err error, kind string, ours []int) error {
	if theirs, ok := incompatible(err); ok {
		return Incompatible(kind, theirs, ours)
	}
	return err
}

// listed is "1", or "1 and 2".
func listed(versions []int) string {
	texts := make([]string, len(versions))
	for i, v := range versions {
		texts[i] = strconv.Itoa(v)
	}
	return strings.Join(texts, " and ")
}

// Handshake is go-plugin's handshake for every kind of plugin.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{MagicCookieKey: CookieKey, MagicCookieValue: CookieValue}
}

// Versions returns go-plugin's plugin sets for a host that speaks the given
// protocol versions of a kind. The host dials by itself, so they hold no client.
func Versions(kind string, versions ...int) map[int]plugin.PluginSet {
	sets := make(map[int]plugin.PluginSet, len(versions))
	for _, v := range versions {
		sets[v] = plugin.PluginSet{kind: &adapter{}}
	}
	return sets
}

// adapter is go-plugin's view of a service: how to register it.
type adapter struct {
	plugin.NetRPCUnsupportedPlugin
	register func(*grpc.Server)
}

func (a *adapter) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if a.register == nil {
		return errors.New("this side of the protocol is the host's")
	}
	a.register(s)
	return nil
}

func (a *adapter) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("dial the plugin through core/pluginhost")
}
