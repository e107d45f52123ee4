//go:build cgo

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// settings are what an operator may set.
type settings struct {
	Model   string   `json:"model"`
	Dirs    []string `json:"dirs"`
	Threads int      `json:"threads"`
}

// settingsVariable is where the tracker hands plugins their settings.
const settingsVariable = "TRACKER_SETTINGS"

func readSettings(getenv func(string) string) (settings, error) {
	var set settings
	if raw := getenv(settingsVariable); raw != "" {
		d := json.NewDecoder(bytes.NewReader([]byte(raw)))
		d.DisallowUnknownFields()
		if err := d.Decode(&set); err != nil {
			return set, fmt.Errorf("plugins.settings.llm-local: %w", err)
		}
	}
	if set.Threads < 0 || set.Threads > 256 {
		return set, fmt.Errorf("plugins.settings.llm-local.threads is %d: it must be 1 to 256, or 0 for half of the processors", set.Threads)
	}
	if set.Threads == 0 {
		set.Threads = max(1, runtime.NumCPU()/2)
	}
	set.Dirs = slices.Concat(set.Dirs, filepath.SplitList(getenv(localmodel.EnvDirs)))
	return set, nil
}
