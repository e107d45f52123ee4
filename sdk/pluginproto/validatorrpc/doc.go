// Package validatorrpc carries the validator protocol
// (tracker.plugin.validator.v1) over gRPC: Register is the plugin's side,
// Client the host's. Both speak the types of sdk/judging.
package validatorrpc
