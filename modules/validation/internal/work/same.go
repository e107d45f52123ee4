package work

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// sameAs is equal for submissions that must get the same verdict: the same
// files, judged by the same tests, options, limits, plugin and toolchain, with
// the same integrity required.
func (w *Worker) sameAs(s validation.Snapshot, t tasks.Task, plugin, version string, toolchain map[string]string, required judging.Integrity) ([]byte, error) {
	type content struct {
		Path   string `json:"path"`
		Digest string `json:"digest"`
	}
	var what struct {
		Files     string            `json:"files"`
		Language  string            `json:"language"`
		Plugin    string            `json:"plugin"`
		Version   string            `json:"version"`
		Toolchain map[string]string `json:"toolchain"`
		Tests     []content         `json:"tests"`
		Starter   []content         `json:"starter"`
		Options   string            `json:"options"`
		Limits    tasks.Limits      `json:"limits"`
		Required  judging.Integrity `json:"required,omitempty"`
	}
	if required == judging.IntegritySplit {
		what.Required = required
	}
	what.Files, what.Language, what.Plugin, what.Version, what.Toolchain = validation.Digest(s.Files), s.Language, plugin, version, toolchain
	if v := t.Validation; v != nil {
		for _, f := range v.Tests {
			what.Tests = append(what.Tests, content{f.Path, f.Digest})
		}
		for _, f := range v.Starter {
			what.Starter = append(what.Starter, content{f.Path, f.Digest})
		}
		what.Options, what.Limits = v.Options.Text(), v.Limits
	}
	body, err := json.Marshal(what)
	if err != nil {
		return nil, fmt.Errorf("digest a submission: %w", err)
	}
	mac := hmac.New(sha256.New, w.key)
	mac.Write(body)
	return mac.Sum(nil), nil
}
