// Package pluginproto is what a plugin and its host agree on before the first
// call: cookie, environment, protocol versions, message size. Serve runs the
// plugin's side over hashicorp/go-plugin; the host's side is core/pluginhost.
//
// Authors don't import it: sdk/validator and sdk/llm do. The services
// themselves are in the packages below (validatorrpc).
package pluginproto
