package pluginhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Discover lists the programs of a folder as enabled plugins, named after
// their files and pinned to what they are now. It is for development and for
// the plugins that are shipped beside the server; a folder that does not exist
// has none.
func Discover(dir string) ([]Plugin, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for plugins in %s: %w", dir, err)
	}
	var out []Plugin
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || !fi.Mode().IsRegular() || fi.Mode().Perm()&0o111 == 0 || !pluginName.MatchString(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		sum, err := Sum(path)
		if err != nil {
			return nil, fmt.Errorf("pin plugin %s: %w", e.Name(), err)
		}
		out = append(out, Plugin{Name: e.Name(), Path: path, SHA256: sum, Enabled: true})
	}
	return out, nil
}

// BesideExecutable is the folder "plugins" beside the running program, where
// `make build` puts them.
func BesideExecutable() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(exe); err == nil {
		exe = target
	}
	return filepath.Join(filepath.Dir(exe), "plugins"), nil
}
