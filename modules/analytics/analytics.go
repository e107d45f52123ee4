package analytics

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Progress sums up one learner, in one course or in all.
type Progress struct {
	UserID   string
	CourseID string
	// Goals and Tasks count by status, Verdicts count runs by verdict.
	Goals    map[string]int
	Tasks    map[string]int
	Verdicts map[string]int
	// Percent is the share of completed tasks among those not skipped, 0 to 100.
	Percent        float64
	EstimatedHours float64
	ActualHours    float64
	// StreakDays counts consecutive UTC days with activity, up to today or
	// yesterday.
	StreakDays   int
	LastActiveAt time.Time
	Submissions  int
	Hints        int
}

// Day is one UTC day's activity.
type Day struct {
	Date           time.Time
	Events         int
	Submissions    int
	Passed         int
	TasksCompleted int
}

// Who says whose figures are asked for.
type Who struct {
	// UserID is the caller if empty. Another's needs CourseID and the right to
	// teach that course.
	UserID string
	// CourseID narrows to one course.
	CourseID string
}

// Service answers with figures. Errors: ErrNotYourLearner, ErrNotYourCourse.
type Service interface {
	// Progress sums up one learner.
	Progress(ctx context.Context, actor auth.Actor, who Who) (Progress, error)
	// Activity lists the days of the last n days that have activity, oldest first.
	Activity(ctx context.Context, actor auth.Actor, who Who, days int) ([]Day, error)
	// Course sums up each learner of a course, for its teachers.
	Course(ctx context.Context, actor auth.Actor, courseID string) ([]Progress, error)
}

// What can go wrong.
var (
	// ErrNotYourLearner hides whether the person exists.
	ErrNotYourLearner = errs.Define(errs.NotFound, "learner_not_found",
		"There is no learner %q among those of your courses. Name the course with course_id.",
		"No hay ningún estudiante %q entre los de tus cursos. Indica el curso con course_id.")
	ErrNotYourCourse = errs.Define(errs.PermissionDenied, "not_your_course",
		"Only the teachers of course %q see its class.",
		"Solo los docentes del curso %q ven su clase.")
)
