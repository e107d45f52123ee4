// Package service answers with the projections' figures.
package service

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/analytics/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Service implements analytics.Service.
type Service struct {
	db  *postgres.DB
	now func() time.Time
}

// New makes the service; now is the clock.
func New(db *postgres.DB, now func() time.Time) *Service { return &Service{db: db, now: now} }

// streakWindow bounds how far back a streak is looked for.
const streakWindow = 366

// Progress implements analytics.Service.
func (s *Service) Progress(ctx context.Context, actor auth.Actor, who analytics.Who) (analytics.Progress, error) {
	userID, err := resolve(actor, who)
	if err != nil {
		return analytics.Progress{}, err
	}
	found, err := store.Progress(ctx, s.db.As(actor), userID, who.CourseID, false)
	if err != nil {
		return analytics.Progress{}, err
	}
	p := analytics.Progress{UserID: userID, CourseID: who.CourseID}
	if len(found) > 0 {
		p = found[0]
	} else if !actor.Owns(userID) {
		return p, analytics.ErrNotYourLearner.New(userID)
	}
	p.Percent = percent(p.Tasks)
	days, err := store.Days(ctx, s.db.As(actor), userID, who.CourseID, s.now().AddDate(0, 0, -streakWindow))
	p.StreakDays = streak(days, s.now())
	return p, err
}

// Activity implements analytics.Service.
func (s *Service) Activity(ctx context.Context, actor auth.Actor, who analytics.Who, days int) ([]analytics.Day, error) {
	userID, err := resolve(actor, who)
	if err != nil {
		return nil, err
	}
	return store.Days(ctx, s.db.As(actor), userID, who.CourseID, s.now().AddDate(0, 0, 1-days))
}

// Course implements analytics.Service.
func (s *Service) Course(ctx context.Context, actor auth.Actor, courseID string) ([]analytics.Progress, error) {
	if !actor.Teaches(courseID) {
		return nil, analytics.ErrNotYourCourse.New(courseID)
	}
	class, err := store.Progress(ctx, s.db.As(actor), actor.UserID, courseID, true)
	for i := range class {
		class[i].Percent = percent(class[i].Tasks)
	}
	return class, err
}

func resolve(actor auth.Actor, who analytics.Who) (string, error) {
	if who.UserID == "" || who.UserID == actor.UserID {
		return actor.UserID, nil
	}
	if !actor.Teaches(who.CourseID) {
		return "", analytics.ErrNotYourLearner.New(who.UserID)
	}
	return who.UserID, nil
}

func percent(tasks map[string]int) float64 {
	all := -tasks["skipped"]
	for _, n := range tasks {
		all += n
	}
	if all == 0 {
		return 0
	}
	return 100 * float64(tasks["completed"]) / float64(all)
}

// streak counts back from the newest day, which must be today or yesterday.
func streak(days []analytics.Day, now time.Time) int {
	expected := now.UTC().Truncate(24 * time.Hour)
	n := 0
	for i := len(days) - 1; i >= 0; i-- {
		day := days[i].Date
		if n == 0 && day.Equal(expected.AddDate(0, 0, -1)) {
			expected = day
		}
		if !day.Equal(expected) {
			break
		}
		n++
		expected = expected.AddDate(0, 0, -1)
	}
	return n
}
