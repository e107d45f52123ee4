package reviewer

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Goals reads what a goal asks for.
type Goals interface {
	Get(ctx context.Context, actor auth.Actor, id string) (goals.Goal, error)
}

// Library reads whole documents of a course.
type Library interface {
	Document(ctx context.Context, actor auth.Actor, id string) (rag.Document, error)
}

// The bounds of a rubric.
const (
	maxCriteria  = 12
	maxOfCourse  = 5
	maxCriterion = 500
)

// proves reports whether a report says all there is to say: then there is no
// rubric. Nothing is to be seen of code that can't be read.
func proves(t tasks.Task, v judging.Verdict) bool {
	if v == judging.VerdictUnproven {
		return false
	}
	isCode := t.Type == tasks.TypeCode || t.Type == tasks.TypeTesting
	return t.NeedsVerdict() || isCode && v != judging.VerdictPassed
}

// rubric holds the submission against what is asked for, where no tests do.
func (r *Reviewer) rubric(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	c, err := Load(ctx, r.material, r.verdicts, r.tasks, x.Run.ValidationRunID)
	if err != nil {
		return engine.Outcome{}, err
	}
	if proves(c.Task, c.Report.Verdict) {
		return engine.Outcome{Word: "tests decide"}, nil
	}
	criteria, err := r.criteria(ctx, c)
	if err != nil {
		return engine.Outcome{}, err
	}
	if len(criteria) == 0 {
		return engine.Outcome{Word: "no criteria"}, nil
	}
	word := "by rules"
	byRules, _ := c.HoldRubric(c.assess(criteria))
	made := agents.Rubric{Criteria: byRules, Label: agents.BuiltInReviewer}
	if said, label, ok := r.assessByModel(ctx, x, c, criteria); ok {
		if held, kept := c.HoldRubric(said); kept > 0 {
			word, made = fmt.Sprintf("by model, %d of %d kept", kept, len(held)), agents.Rubric{Criteria: held, Label: label}
		}
	}
	return engine.Outcome{Word: word, Set: map[string]any{"rubric": made}}, nil
}

// criteria are what task, goal and cited course ask for, at most maxCriteria.
func (r *Reviewer) criteria(ctx context.Context, c *Case) (all []agents.Criterion, err error) {
	add := func(source agents.Source, asked, text string) {
		text = clip(strings.Join(strings.Fields(text), " "), maxCriterion)
		same := func(o agents.Criterion) bool { return strings.EqualFold(o.Text, text) }
		if text != "" && len(all) < maxCriteria && !slices.ContainsFunc(all, same) {
			all = append(all, agents.Criterion{ID: fmt.Sprintf("C%d", len(all)+1), Text: text, Source: source, Asked: asked, Evidence: []agents.Evidence{}})
		}
	}
	for _, text := range asksFor(c.Task) {
		add(agents.FromTask, "", text)
	}
	goal, err := r.goals.Get(ctx, system, c.Task.GoalID)
	if err != nil && errs.CodeOf(err) != errs.NotFound {
		return nil, fmt.Errorf("read criteria of goal %s: %w", c.Task.GoalID, err)
	}
	for _, text := range goal.Criteria {
		add(agents.FromGoal, "", text)
	}
	seen, n := map[string]bool{}, 0
	for _, cited := range c.Task.Citations {
		if cited.DocumentID == "" || seen[cited.DocumentID] {
			continue
		}
		seen[cited.DocumentID] = true
		doc, err := r.library.Document(ctx, c.reader(), cited.DocumentID)
		if code := errs.CodeOf(err); code == errs.NotFound || code == errs.PermissionDenied {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read objectives of %s: %w", cited.Path, err)
		}
		for _, text := range doc.Meta.Objectives {
			if n++; n <= maxOfCourse {
				add(agents.FromCourse, doc.Path, text)
			}
		}
	}
	return all, nil
}

var (
	heading = regexp.MustCompile(`^(?:#{1,6}\s+(.*?)\s*#*|\*\*(.+?)\*\*:?|([^\s].*):)$`)
	bullet  = regexp.MustCompile(`^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?(.+)$`)
	asking  = regexp.MustCompile(`(?i)criteri|rubric|rúbrica|acceptance|aceptación|done when|(?:hecha?|lista?|terminada?) cuando|what (?:to hand in|is asked)|qué (?:entregar|se pide)`)
)

// asksFor are a task's own criteria: those of its metadata, and the list under a
// heading of its description that says so.
func asksFor(t tasks.Task) (all []string) {
	var meta struct {
		Criteria []string `json:"validation_criteria"`
	}
	if json.Unmarshal([]byte(t.Metadata), &meta) == nil {
		all = append(all, meta.Criteria...)
	}
	listed := false
	for line := range strings.SplitSeq(t.Description, "\n") {
		line = strings.TrimRight(line, " \r\t")
		switch item := bullet.FindStringSubmatch(line); {
		case item != nil:
			if listed {
				all = append(all, item[1])
			}
		case line == "":
		default:
			m := heading.FindStringSubmatch(line)
			listed = m != nil && asking.MatchString(m[1]+m[2]+m[3])
		}
	}
	return all
}
