package tutor

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// Rungs reads what hints a task has had.
type Rungs interface {
	Hints(ctx context.Context, taskID string, size int) ([]agents.Hint, error)
}

// Ladder makes hints: by rules at once, and by a model in runs of a graph.
type Ladder struct {
	tutor     *Tutor
	rungs     Rungs
	tasks     tasks.Service
	log       *events.Log
	models    llm.Service
	useModels bool
}

// NewLadder makes it; models may be nil.
func NewLadder(log *events.Log, material Material, snapshots Snapshots, service tasks.Service, rungs Rungs, models llm.Service, cfg agents.Config) *Ladder {
	return &Ladder{
		tutor: New(material, snapshots), rungs: rungs, tasks: service, log: log, models: models, useModels: cfg.Models && models != nil,
	}
}

// Asked is what a run begins with.
type Asked struct {
	Level    int    `json:"level"`
	Question string `json:"question,omitempty"`
	Locale   string `json:"locale,omitempty"`
}

// draft is a hint before it is checked.
type draft struct {
	// Said is what the model said, with its labels; Text what the learner reads.
	Said      string           `json:"said,omitempty"`
	Text      string           `json:"text"`
	Citations []tasks.Citation `json:"citations"`
	// Points is how many lines and tests it names, Unknown the labels that name
	// nothing.
	Points   int      `json:"points,omitempty"`
	Unknown  []string `json:"unknown,omitempty"`
	Label    string   `json:"label"`
	LookedAt []string `json:"looked_at"`
}

// maxRepairs is how often a model may mend a hint that may not be given.
const maxRepairs = 2

// Graph is the ladder's. A model's hint and the rules' pass the same check.
func (l *Ladder) Graph() *engine.Graph {
	drafted := func(s engine.State) bool { d, _ := engine.Get[*draft](s, "draft"); return d != nil }
	wrong := func(s engine.State) bool { why, _ := engine.Get[string](s, "why"); return why != "" }
	mend := func(s engine.State) bool {
		tries, _ := engine.Get[int](s, "tries")
		return wrong(s) && tries <= maxRepairs
	}
	return &engine.Graph{
		Name: agents.GraphHint, Version: 1, Start: "model",
		Nodes: []engine.Node{
			{Name: "model", Run: l.byModel}, {Name: "rules", Run: l.byRules}, {Name: "check", Run: l.check}, {Name: "publish", Run: l.publish},
		},
		Edges: []engine.Edge{
			{From: "model", To: "check", When: drafted, Label: "written"},
			{From: "model", To: "rules", Label: "no model answers"},
			{From: "rules", To: "publish"},
			{From: "check", To: "model", When: mend, Label: "mend"},
			{From: "check", To: "rules", When: wrong, Label: "given up"},
			{From: "check", To: "publish", Label: "fit"},
		},
	}
}

// Writes says whether a model may write hints now.
func (l *Ladder) Writes() bool { return l.useModels && l.models.Available(llm.Hint) }

// Hint makes a rung by rules, for a task as the system sees it.
func (l *Ladder) Hint(ctx context.Context, actor auth.Actor, task tasks.Task, level int, r agents.HintRequest) (agents.Hint, error) {
	v, code, err := l.look(ctx, actor, task, Asked{Level: level, Question: r.Question, Locale: r.Locale})
	if err != nil {
		return agents.Hint{}, err
	}
	d := v.rung(level, code)
	return agents.Hint{
		TaskID: task.ID, UserID: task.UserID, CourseID: task.CourseID, Level: level, Text: d.Text, Citations: d.Citations,
		Label: d.Label, LookedAt: d.LookedAt,
	}, nil
}

func (l *Ladder) look(ctx context.Context, actor auth.Actor, task tasks.Task, a Asked) (*view, *validation.Snapshot, error) {
	v, err := l.tutor.look(ctx, actor, task, agents.HintRequest{TaskID: task.ID, Question: a.Question, Locale: a.Locale})
	if err != nil {
		return nil, nil, err
	}
	code, err := l.tutor.newest(ctx, actor, task.ID)
	return v, code, err
}

// scene reads what a run's hint is made from.
func (l *Ladder) scene(ctx context.Context, x *engine.Execution) (v *view, code *validation.Snapshot, a Asked, err error) {
	if a, err = engine.Get[Asked](x.State, "asked"); err != nil {
		return nil, nil, a, err
	}
	// As the system: the learner doesn't see hidden tests, which must not be told.
	task, err := l.tasks.Get(ctx, system, x.Run.TaskID)
	if err != nil {
		return nil, nil, a, err
	}
	v, code, err = l.look(ctx, auth.Actor{UserID: x.Run.UserID, Roles: []auth.Role{auth.Student}}, task, a)
	return v, code, a, err
}

// guard bounds what may be said of a view on a rung.
func (v *view) guard(level int, code *validation.Snapshot) evidence.Rung {
	known := []string{v.task.Title, v.task.Description, v.starter}
	for _, p := range append(append(append([]rag.Passage{}, v.lessons...), v.statement...), v.found...) {
		known = append(known, p.Text)
	}
	if code != nil {
		for _, f := range code.Files {
			known = append(known, f.Content)
		}
	}
	r := evidence.OnRung(level, v.task.Language, v.solution, v.tests, known...)
	r.Functions, r.Material = v.functions, len(v.lessons) > 0
	for _, m := range defined.FindAllStringSubmatch(v.starter+"\n"+v.solution, -1) {
		r.Functions = append(r.Functions, m[1])
	}
	if code != nil {
		r.Files = code.Files
	}
	return r
}

// defined finds the functions that a starter leaves to the learner.
var defined = regexp.MustCompile(`(?m)^\s*(?:async )?(?:def|func|function|fn)\s+(\w{3,})\s*\(`)

// rung is a hint by rules; what it quotes of a course passes the same guard as
// what a model says.
func (v *view) rung(level int, code *validation.Snapshot) draft {
	d := draft{Label: agents.BuiltInTutor, LookedAt: v.lookedAt(code), Citations: []tasks.Citation{}}
	switch level {
	case agents.HintQuestion:
		d.Text = v.question()
	case agents.HintConcept:
		d.Text, d.Citations = v.concept()
	case agents.HintPointer:
		d.Text, d.Citations = v.pointer()
	default:
		d.Text, d.Citations = v.example()
	}
	if v.guard(level, code).May(d.Text) == "" {
		return d
	}
	d.Citations = []tasks.Citation{}
	switch said := phrases[v.locale]; level {
	case agents.HintQuestion:
		d.Text = said.ask
	case agents.HintPointer:
		d.Text = said.start
	default:
		d.Text = said.none
	}
	return d
}

// byRules writes the hint where no model may.
func (l *Ladder) byRules(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	v, code, a, err := l.scene(ctx, x)
	if err != nil {
		return engine.Outcome{}, err
	}
	return engine.Outcome{Word: "by rules", Set: map[string]any{"draft": v.rung(a.Level, code)}}, nil
}

// check says what a hint may not be given for, and records it for the model.
func (l *Ladder) check(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	d, err := engine.Get[draft](x.State, "draft")
	if err != nil {
		return engine.Outcome{}, err
	}
	v, code, a, err := l.scene(ctx, x)
	if err != nil {
		return engine.Outcome{}, err
	}
	why, err := l.unbacked(ctx, x, v, d)
	if err != nil {
		return engine.Outcome{}, err
	}
	if why == "" {
		why = v.guard(a.Level, code).Holds(d.Text, len(d.Citations), d.Points)
	}
	word := "fit"
	if why != "" {
		word = "not fit"
	}
	return engine.Outcome{Word: word, Set: map[string]any{"why": why}}, nil
}

// unbacked holds a hint's citations against the course as the learner reads it.
func (l *Ladder) unbacked(ctx context.Context, x *engine.Execution, v *view, d draft) (string, error) {
	if len(d.Unknown) > 0 {
		return "it names " + strings.Join(d.Unknown, ", ") + ", which it was not shown", nil
	}
	if len(d.Citations) == 0 {
		return "", nil
	}
	ids := make([]string, len(d.Citations))
	for i, c := range d.Citations {
		ids[i] = c.ChunkID
	}
	reader := auth.Actor{UserID: x.Run.UserID, Roles: []auth.Role{auth.Student}}
	list, err := l.tutor.material.Passages(ctx, reader, rag.PassageFilter{CourseID: v.task.CourseID, ChunkIDs: ids})
	if err != nil && errs.CodeOf(err) != errs.PermissionDenied {
		return "", err
	}
	byID := map[string]rag.Passage{}
	for _, p := range list {
		byID[p.ChunkID] = p
	}
	for _, c := range d.Citations {
		if why := evidence.Unbacked(c, byID); why != "" {
			return "it " + why, nil
		}
	}
	return "", nil
}

// publish gives the hint to its learner.
func (l *Ladder) publish(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
	d, err := engine.Get[*draft](x.State, "draft")
	if err != nil || d == nil {
		return engine.Outcome{}, fmt.Errorf("run %s has no hint: %w", x.Run.ID, err)
	}
	a, err := engine.Get[Asked](x.State, "asked")
	if err != nil {
		return engine.Outcome{}, err
	}
	h := agents.Hint{
		ID: x.Run.ID, TaskID: x.Run.TaskID, UserID: x.Run.UserID, CourseID: x.Run.CourseID, Level: a.Level, Text: d.Text,
		Citations: d.Citations, Label: d.Label, LookedAt: d.LookedAt,
	}
	return engine.Outcome{Label: d.Label, Commit: func(ctx context.Context, tx *postgres.Tx, _ *engine.Commit) error {
		_, err := l.Give(ctx, tx, h)
		return err
	}}, nil
}

// Give records a hint, as the unit of work's actor. When its rung was climbed
// meanwhile, the one that was given comes back.
func (l *Ladder) Give(ctx context.Context, tx *postgres.Tx, h agents.Hint) (agents.Hint, error) {
	// The task is read again: it may have been deleted meanwhile.
	if _, err := l.tasks.LockTx(ctx, tx, h.TaskID); err != nil {
		return agents.Hint{}, err
	}
	last, number, err := store.LastHint(ctx, tx, tx.Actor(), h.TaskID)
	if err != nil {
		return agents.Hint{}, err
	}
	if last != nil && last.Level >= h.Level && (h.Level < agents.HintExample || last.ID == h.ID) {
		return *last, nil
	}
	h.CreatedAt = l.log.Now(tx)
	made, err := store.InsertHint(ctx, tx, h, number+1)
	if err != nil {
		return agents.Hint{}, err
	}
	if !made {
		return agents.Hint{}, agents.ErrMeanwhile.New()
	}
	l.log.Append(tx, events.Stream{Type: agents.StreamHint, ID: h.ID, SubjectID: h.UserID, CourseID: h.CourseID}, 0, &agentsv1.HintGiven{
		HintId: h.ID, TaskId: h.TaskID, Level: int32(h.Level), Text: h.Text, Citations: convert.Citations(h.Citations), Label: h.Label,
	})
	return h, nil
}
