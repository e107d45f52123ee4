package courses

import (
	"fmt"
	"io/fs"
	"strings"

	"gopkg.in/yaml.v3"
)

// readFrontMatter decodes the YAML between the first two "---" lines into
// meta and returns the Markdown that follows. Unknown keys are errors, so
// that a typo doesn't silently lose a field.
func readFrontMatter(fsys fs.FS, path string, meta any) (string, error) {
	raw, err := fs.ReadFile(fsys, path)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(string(raw), "---\n")
	head, body, closed := strings.Cut(rest, "\n---\n")
	if !ok || !closed {
		return "", fmt.Errorf("%s: must begin with front matter between two lines of ---", path)
	}
	decoder := yaml.NewDecoder(strings.NewReader(head))
	decoder.KnownFields(true)
	if err := decoder.Decode(meta); err != nil {
		return "", fmt.Errorf("%s: front matter: %w", path, err)
	}
	return strings.TrimLeft(body, "\n"), nil
}

func readFolder(fsys fs.FS, name string) (map[string]string, error) {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, err
	}
	contents := map[string]string{}
	for _, entry := range entries {
		raw, err := fs.ReadFile(fsys, name+"/"+entry.Name())
		if err != nil {
			return nil, err
		}
		contents[entry.Name()] = string(raw)
	}
	return contents, nil
}
