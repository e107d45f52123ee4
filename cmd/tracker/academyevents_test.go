package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// academyProcess is the stand-in as a program of its own.
type academyProcess struct {
	caller
	// kill ends it as a crash would.
	kill func()
}

func startAcademy(t *testing.T, env ...string) academyProcess {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "academy"), "--address", "127.0.0.1:0", "--alg", "RS256")
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "SERVICE_API_KEY=" + testServiceKey, "SECRET_KEY=" + testSecret}, env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text()); url != "" {
			return academyProcess{caller{t: t, url: url, token: testServiceKey}, kill}
		}
	}
	t.Fatal("the academy did not say where it is")
	return academyProcess{}
}

// login gives somebody's token, as the academy's page does.
func (a academyProcess) login(email, password string) string {
	a.t.Helper()
	r := caller{t: a.t, url: a.url}.must(http.MethodPost, "/api/auth/login", map[string]any{"email": email, "password": password})
	token, _ := r.field("token").(string)
	return token
}

func TestReplicasHearOfTheAcademyByRabbitMQ(t *testing.T) {
	address := brokertest.URL(t)
	academy := startAcademy(t, "RABBITMQ_URL="+address)
	db := postgrestest.DB(t)
	var replicas []*world
	for range 2 {
		cfg := testConfig(t)
		cfg.Academy.URL, cfg.Auth.Source = academy.url, auth.FromJWKS
		cfg.RabbitMQ.URL = config.Secret(address)
		replicas = append(replicas, startReplica(t, db, cfg))
	}
	token := academy.login("ben@academy.test", "ben-learns")
	var ben []caller
	for _, w := range replicas {
		ben = append(ben, caller{t: t, url: w.url, token: token})
	}
	goal := ben[0].must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops", "course_id": course}).field("id").(string)
	for _, me := range ben {
		if title := me.must(http.MethodGet, "/api/v1/courses/"+course, nil).field("title"); title == "Renamed" {
			t.Fatal("it is renamed already")
		}
	}
	academy.must(http.MethodPut, "/api/courses/"+course, map[string]any{"title": "Renamed", "description": "", "status": "published"})
	academy.must(http.MethodPut, "/api/users/learner-ben", map[string]any{"email": "ben@academy.test", "full_name": "Benjamin", "is_active": true})
	for i, me := range ben {
		until(t, time.Minute, func() (any, bool) {
			title := me.must(http.MethodGet, "/api/v1/courses/"+course, nil).field("title")
			return title, title == "Renamed"
		})
		until(t, time.Minute, func() (any, bool) {
			name := me.must(http.MethodGet, "/api/v1/me", nil).field("full_name")
			return name, name == "Benjamin"
		})
		if t.Failed() {
			t.Fatalf("replica %d", i)
		}
	}
	academy.must(http.MethodDelete, "/api/courses/"+course, nil)
	until(t, time.Minute, func() (any, bool) {
		g := ben[1].must(http.MethodGet, "/api/v1/goals/"+goal, nil)
		return g.field("course_deleted"), g.field("course_deleted") == true
	})
	academy.must(http.MethodPut, "/api/users/learner-ben", map[string]any{"email": "ben@academy.test", "full_name": "Benjamin", "is_active": false})
	for _, me := range ben {
		me.answers(http.StatusForbidden, "/api/v1/goals")
	}
}
