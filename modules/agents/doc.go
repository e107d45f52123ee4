// Package agents turns goals into plans, explains verdicts and gives hints.
//
// It owns the schema agents: runs of graphs with their checkpoints, effects and
// queue (facts: a run goes on from its last checkpoint after any kill), and the
// feedback and hints that came of them. A graph is data: nodes and conditional
// edges; a node is executed by one job, outside of any transaction, and its
// outcome is recorded in one. Rule nodes and model nodes stand under the same
// schema and the same checks, and without a model everything works by rules.
//
// It sets no verdict, and claims nothing without a line, a test or a passage
// that backs it. Tasks, verdicts and material belong to other modules.
package agents
