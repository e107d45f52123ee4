package goals

import (
	"slices"
	"strings"
)

// Action is what somebody does to a goal's status.
type Action string

// The actions on a goal's status.
const (
	Start    Action = "start"
	Complete Action = "complete"
	Block    Action = "block"
	Cancel   Action = "cancel"
	Reopen   Action = "reopen"
)

// Actions are all actions.
var Actions = []Action{Start, Complete, Block, Cancel, Reopen}

// allowed says from which statuses an action leads where.
var allowed = map[Action]struct {
	from             []Status
	english, spanish string
}{
	Start:    {[]Status{StatusPending, StatusBlocked}, "started", "empezar"},
	Complete: {[]Status{StatusInProgress}, "completed", "completar"},
	Block:    {[]Status{StatusPending, StatusInProgress}, "blocked", "bloquear"},
	Cancel:   {[]Status{StatusPending, StatusInProgress, StatusBlocked}, "cancelled", "cancelar"},
	Reopen:   {[]Status{StatusCompleted, StatusCancelled}, "reopened", "reabrir"},
}

// Can reports whether the goal's status lets the action happen; if not, the
// error is ErrStatus.
func (g Goal) Can(a Action) error {
	rule := allowed[a]
	if slices.Contains(rule.from, g.Status) {
		return nil
	}
	return ErrStatus.New(
		english[g.Status], list(rule.from, english, " or "), rule.english,
		spanish[g.Status], list(rule.from, spanish, " o "), rule.spanish,
	).WithDetail("status", string(g.Status)).WithDetail("action", string(a))
}

// Start leads from pending or blocked to in progress.
func (g Goal) Start() (Change, error) { return Started{}, g.Can(Start) }

// Complete closes a goal in progress by hand.
func (g Goal) Complete() (Change, error) { return Completed{By: BySelf}, g.Can(Complete) }

// Block says that work can't go on; reason has at most 2,000 characters.
func (g Goal) Block(reason string) (Change, error) {
	var c Checker
	c.Text("reason", reason, 0, 2000)
	if err := c.Err(); err != nil {
		return nil, err
	}
	return Blocked{Reason: reason}, g.Can(Block)
}

// Cancel gives an open goal up.
func (g Goal) Cancel() (Change, error) { return Cancelled{}, g.Can(Cancel) }

// Reopen takes a closed goal up again.
func (g Goal) Reopen() (Change, error) { return Reopened{}, g.Can(Reopen) }

// The statuses as a reader meets them.
var (
	english = map[Status]string{
		StatusPending: "pending", StatusInProgress: "in progress", StatusCompleted: "completed", StatusBlocked: "blocked", StatusCancelled: "cancelled",
	}
	spanish = map[Status]string{
		StatusPending: "pendiente", StatusInProgress: "en curso", StatusCompleted: "completado", StatusBlocked: "bloqueado", StatusCancelled: "cancelado",
	}
)

func list(statuses []Status, words map[Status]string, or string) string {
	texts := make([]string, len(statuses))
	for i, s := range statuses {
		texts[i] = words[s]
	}
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + or + texts[last]
}
