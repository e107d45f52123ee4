// Package events is the log: what happened, in the order of commit, and what
// follows from it. Modules append to it in the unit of work that changes their
// rows, react to each other's events inside the same transaction (React) or
// after it (Subscribe), and register how their rows follow from the log (Fold),
// so that both can be proved equal and rebuilt.
//
// It owns the schema "events". Positions are settled: a reader that has seen
// position n never later meets a smaller one. A stream's version counts its
// events and is the etag of its entity.
//
// It is no message queue: work is River's, and what leaves the server goes by
// subscriptions of its own.
package events
