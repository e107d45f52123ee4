package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"

	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1/goalsv1connect"
)

// createGoal measures POST /goals and CreateGoal.
func (b *bench) createGoal(ctx context.Context, s *server) error {
	courseID := course
	body, err := json.Marshal(map[string]any{
		"title": title, "description": description, "course_id": course, "priority": "high",
		"validation_criteria": criteria, "metadata": json.RawMessage(metadata),
	})
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	message, err := proto.Marshal(&goalsv1.CreateGoalRequest{
		Title: title, Description: description, CourseId: &courseID, Priority: goalsv1.Priority_PRIORITY_HIGH,
		ValidationCriteria: criteria, Metadata: metadata,
	})
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	rest := load{Method: http.MethodPost, Path: "/api/v1/goals", Body: body, Status: http.StatusCreated, Keyed: true, Header: map[string]string{"Content-Type": "application/json"}}
	connect := load{Method: http.MethodPost, Path: goalsv1connect.GoalsServiceCreateGoalProcedure, Body: message, Status: http.StatusOK, Keyed: true, Header: protoHeader()}

	var before, after int
	const count = "SELECT count(*) FROM goals.goals"
	if err := b.db.pool().QueryRow(ctx, count).Scan(&before); err != nil {
		return fmt.Errorf("count goals: %w", err)
	}
	trips, err := capture(ctx, b.db, rest)
	if err != nil {
		return err
	}
	done, err := b.requests(ctx, s, "create-goal", trips, rest, connect)
	if err != nil {
		return err
	}
	done++ // the captured one
	if err := b.db.pool().QueryRow(ctx, count).Scan(&after); err != nil {
		return fmt.Errorf("count goals: %w", err)
	}
	if made := after - before; made != done {
		return fmt.Errorf("measure create-goal: %d goals were answered for, %d are there", done, made)
	}
	return nil
}

// listGoals measures the first page of GET /goals and ListGoals.
func (b *bench) listGoals(ctx context.Context, s *server) error {
	message, err := proto.Marshal(&goalsv1.ListGoalsRequest{PageSize: 20})
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	rest := load{Method: http.MethodGet, Path: "/api/v1/goals?page_size=20", Status: http.StatusOK, Header: map[string]string{}}
	connect := load{Method: http.MethodPost, Path: goalsv1connect.GoalsServiceListGoalsProcedure, Body: message, Status: http.StatusOK, Header: protoHeader()}
	trips, err := capture(ctx, b.db, rest)
	if err != nil {
		return err
	}
	if _, _, err := b.script(ctx, write(expectPage(trips)), "--transactions=1"); err != nil {
		return fmt.Errorf("measure list-goals: pgbench does not read a page: %w", err)
	}
	_, err = b.requests(ctx, s, "list-goals", trips, rest, connect)
	return err
}

// expectPage fails, by a division by zero, where a list has not the 20 rows of
// its page and the one that says that there is a next.
func expectPage(trips []trip) []trip {
	trips = slices.Clone(trips)
	last := slices.Clone(trips[len(trips)-1])
	list := &last[len(last)-1]
	list.sql = "SELECT 1 / (count(*) = 21)::int FROM (" + list.sql + ") AS page"
	trips[len(trips)-1] = last
	return trips
}

func protoHeader() map[string]string {
	return map[string]string{"Content-Type": "application/proto", "Connect-Protocol-Version": "1"}
}

// requests compares a request on both faces with its statements in pgbench. It
// says how often it was done in all.
func (b *bench) requests(ctx context.Context, s *server, name string, trips []trip, rest, connect load) (done int, err error) {
	rest.Clients, connect.Clients = b.Clients, b.Clients
	sent := Sent{What: name, Trips: len(trips)}
	for _, t := range trips {
		sent.Statements += len(t)
	}
	b.report.Sent = append(b.report.Sent, sent)
	counted := func(s side) side {
		run := s.run
		s.run = func(ctx context.Context) (work, error) {
			w, err := run(ctx)
			done += w.count
			return w, err
		}
		return s
	}
	faces := []side{{name: "REST", run: b.sent(s, rest)}, {name: "Connect", run: b.sent(s, connect)}, b.pgbench(write(trips), b.Clients)}
	for i := range faces {
		faces[i] = counted(faces[i])
	}
	for _, l := range []load{rest, connect} { // warm
		l = l.at(s)
		l.Duration = b.Round / 10
		w, err := b.clients.do(l)
		if err != nil {
			return 0, err
		}
		done += w.count
	}
	err = b.compare(ctx, name, faces...)
	return done, err
}

func (b *bench) sent(s *server, l load) func(context.Context) (work, error) {
	return func(context.Context) (work, error) {
		l := l.at(s)
		l.Duration = b.Round
		return b.clients.do(l)
	}
}

// at is the load on a server, signed in and from a page that may call it.
func (l load) at(s *server) load {
	l.Address = s.address
	l.Header = maps.Clone(l.Header)
	l.Header["Authorization"] = "Bearer " + s.token
	l.Header["Origin"] = "http://localhost:3000"
	return l
}
