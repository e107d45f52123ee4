package pluginproto

import (
	"context"
	"errors"
	"fmt"

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

	// ValidatorVersion is the newest version of the validators' protocol. A host
	// speaks the newest and the one before, where there is one.
	ValidatorVersion = 1
	// LLMVersion is the newest version of the LLM plugins' protocol; the same holds.
	LLMVersion = 1
)

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
