// Package pluginhost runs plugins of any kind as processes of their own, over
// hashicorp/go-plugin's handshake and gRPC.
//
// It owns the processes: what may start (an allow-list with sha256), as whom,
// for how long a call may take, when a plugin is started again, and when it is
// given up (quarantine). What a plugin writes or answers is untrusted: it is
// bounded here, and never takes the server down.
//
// A family of plugins is a Kind; Validator is one. The meaning of what plugins
// answer belongs to the modules that call them.
package pluginhost
