package main

import (
	"os"
	"path/filepath"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	managerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"
)

// validated is what Envoy's API generates for each message.
type validated interface {
	proto.Message
	ValidateAll() error
}

// envoy reads the configuration as Envoy reads it, with its own messages and their
// rules: unknown fields, names and values that no message allows are refused.
func envoy(deploy string) error {
	raw, err := os.ReadFile(filepath.Join(deploy, "gateways", "envoy.yaml"))
	if err != nil {
		return err
	}
	text, err := yaml.YAMLToJSONStrict(raw)
	if err != nil {
		return err
	}
	var bootstrap bootstrapv3.Bootstrap
	if err := protojson.Unmarshal(text, &bootstrap); err != nil {
		return err
	}
	var wrong problems
	rules := func(m validated) {
		if err := m.ValidateAll(); err != nil {
			wrong.add("%s: %w", m.ProtoReflect().Descriptor().Name(), err)
		}
	}
	unpack := func(from *anypb.Any, to validated) {
		if err := from.UnmarshalTo(to); err != nil {
			wrong.add("%w", err)
		}
		rules(to)
	}
	rules(&bootstrap)
	clusters := map[string]bool{}
	for _, cluster := range bootstrap.GetStaticResources().GetClusters() {
		clusters[cluster.GetName()] = true
		for _, options := range cluster.GetTypedExtensionProtocolOptions() {
			unpack(options, &httpv3.HttpProtocolOptions{})
		}
	}
	streams, upgrades := 0, 0
	for _, listener := range bootstrap.GetStaticResources().GetListeners() {
		for _, chain := range listener.GetFilterChains() {
			for _, filter := range chain.GetFilters() {
				var manager managerv3.HttpConnectionManager
				unpack(filter.GetTypedConfig(), &manager)
				for _, f := range manager.GetHttpFilters() {
					unpack(f.GetTypedConfig(), &routerv3.Router{})
				}
				if idle := manager.GetStreamIdleTimeout(); idle == nil || idle.AsDuration() != 0 {
					wrong.add("streams may be silent for 5 minutes only: stream_idle_timeout is %v", idle)
				}
				// Else learners name any address of theirs, and no replica knows whose limit counts.
				if !manager.GetUseRemoteAddress().GetValue() {
					wrong.add("X-Forwarded-For comes from outside")
				}
				upgrades += len(manager.GetUpgradeConfigs())
				for _, host := range manager.GetRouteConfig().GetVirtualHosts() {
					for _, r := range host.GetRoutes() {
						streams += route(&wrong, r, clusters)
					}
				}
			}
		}
	}
	if upgrades != 1 || streams != len(streaming) {
		wrong.add("%d upgrades, %d of %d routes without an end", upgrades, streams, len(streaming))
	}
	return wrong.err()
}

// streaming are what takes as long as it takes.
var streaming = map[string]bool{"/ws": true, "/api/v1/ws": true, "/tracker.": true, "/mcp": true}

// route checks one, and says 1 when it may stream for ever.
func route(wrong *problems, r *routev3.Route, clusters map[string]bool) int {
	path := r.GetMatch().GetPath() + r.GetMatch().GetPrefix()
	to := r.GetRoute()
	if to == nil {
		return 0
	}
	if !clusters[to.GetCluster()] {
		wrong.add("%s leads to %q, which is no cluster", path, to.GetCluster())
	}
	endless := to.GetTimeout() != nil && to.GetTimeout().AsDuration() == 0
	if endless != streaming[path] {
		wrong.add("%s ends after %v", path, to.GetTimeout())
	}
	if endless {
		return 1
	}
	return 0
}
