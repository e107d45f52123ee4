// Package validation takes snapshots of learners' code and has them judged.
//
// It owns the schema validation: snapshots (facts that never change), runs
// (folds of the streams "run"), their reports, and a queue that is fair between
// courses and learners. A River job is only a ticket: who holds one takes the
// fairest waiting run under a lease, and what a killed worker held is found
// again in seconds.
//
// It judges nothing itself: a validator plugin plans and judges, the sandbox
// executes, and what either answers is untrusted. What a verdict means for a
// task is the tasks module's. JudgeDir judges a folder without server and
// database.
package validation
