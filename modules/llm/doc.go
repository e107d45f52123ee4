// Package llm is the gateway to language models: which plugin answers which
// purpose, within which budget, deadline and shape.
//
// It owns routing by purpose, the price table, the ledger of usage (schema
// llm), a circuit breaker per provider, and the check that an answer fits the
// schema that was asked for, with one repair. What a model answers is untrusted
// and stays data.
//
// It is not a prompt library and keeps no conversation: the callers (agents,
// rag) write the messages and judge what comes back. Without a provider
// everything here says so, and callers go on with what is built in.
package llm
