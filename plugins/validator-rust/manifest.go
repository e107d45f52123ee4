package main

import (
	"regexp"
	"slices"
	"strings"
)

// manifest is what counts of a Cargo.toml.
type manifest struct {
	name     string
	edition  string
	lib      string // [lib] path
	bin      string // [[bin]] path
	features []string
	crates   []string // dependencies, which are not there
}

var (
	tomlSection = regexp.MustCompile(`^\s*\[+\s*([^\]]+?)\s*\]+`)
	tomlPair    = regexp.MustCompile(`^\s*([\w."-]+)\s*=\s*(.*)$`)
	tomlText    = regexp.MustCompile(`"([^"]*)"`)
)

// readManifest reads the few lines of a Cargo.toml that matter here.
func readManifest(content string) manifest {
	var m manifest
	section := ""
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\r\n")
		if i := strings.Index(line, "#"); i >= 0 && strings.Count(line[:i], `"`)%2 == 0 {
			line = line[:i]
		}
		if s := tomlSection.FindStringSubmatch(line); s != nil && !strings.Contains(line, "=") {
			section = s[1]
			if crate, ok := strings.CutPrefix(section, "dependencies."); ok {
				m.crates = append(m.crates, crate)
			}
			continue
		}
		p := tomlPair.FindStringSubmatch(line)
		if p == nil {
			continue
		}
		key, value := strings.Trim(p[1], `"`), ""
		if t := tomlText.FindStringSubmatch(p[2]); t != nil {
			value = t[1]
		}
		m.set(section, key, value, p[2])
	}
	slices.Sort(m.crates)
	return m
}

// set takes a pair over; raw is its whole right side.
func (m *manifest) set(section, key, value, raw string) {
	switch section + "." + key {
	case "package.name", "lib.name":
		m.name = value
	case "package.edition":
		m.edition = value
	case "lib.path":
		m.lib = value
	case "bin.path":
		m.bin = value
	case "features.default":
		for _, t := range tomlText.FindAllStringSubmatch(raw, -1) {
			m.features = append(m.features, t[1])
		}
	default:
		if section == "dependencies" || section == "dev-dependencies" {
			m.crates = append(m.crates, strings.TrimSuffix(key, ".workspace"))
		}
	}
}

// supported is the edition, or the newest one that the compiler knows.
func supported(edition, toolchain string) string {
	if edition == "2024" && olderThan(toolchain, 85) {
		return "2021"
	}
	switch edition {
	case "2015", "2018", "2021", "2024":
		return edition
	}
	return "2021"
}

var rustVersion = regexp.MustCompile(`rustc 1\.(\d+)`)

// olderThan says whether the compiler is older than 1.minor.
func olderThan(toolchain string, minor int) bool {
	m := rustVersion.FindStringSubmatch(toolchain)
	if m == nil {
		return false
	}
	n := 0
	for _, c := range m[1] {
		n = n*10 + int(c-'0')
	}
	return n < minor
}
