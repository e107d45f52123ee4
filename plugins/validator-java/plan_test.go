package main

import (
	"strings"
	"testing"
)

func TestAJDKWithoutSecurityManagersIsRefused(t *testing.T) {
	for version, refused := range map[string]bool{
		`openjdk version "17.0.15" 2025-04-15`: false, `openjdk version "21.0.2" 2024-01-16`: false, `openjdk version "23" 2024-09-17`: false,
		`openjdk version "24.0.1" 2025-04-15`: true, `openjdk version "25" 2025-09-16 LTS`: true, `java version "1.8.0_292"`: false, "": false,
	} {
		err := guarded(version)
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), version) {
			t.Errorf("%s: %v", version, err)
		}
	}
}
