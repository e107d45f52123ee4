package courses_test

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
)

// each runs a test on every sample course.
func each(t *testing.T, test func(t *testing.T, c courses.Course)) {
	t.Helper()
	all, err := courses.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("%d courses, want English and Spanish", len(all))
	}
	for _, c := range all {
		t.Run(c.ID, func(t *testing.T) { test(t, c) })
	}
}

func units(t *testing.T, c courses.Course) []courses.Unit {
	t.Helper()
	list, err := c.Units()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func exercises(t *testing.T, c courses.Course) []courses.Exercise {
	t.Helper()
	list, err := c.Exercises()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEachCourseIntroducesItself(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		if !strings.HasSuffix(c.ID, "-"+c.Language) || c.Title == "" || c.Description == "" || len(c.Objectives) < 2 {
			t.Errorf("course: %+v", c)
		}
		again, err := courses.Find(c.ID)
		if err != nil || again.Title != c.Title {
			t.Errorf("find %s: %+v, %v", c.ID, again, err)
		}
		var hours float64
		for _, u := range units(t, c) {
			hours += u.EstimatedHours
		}
		if hours != c.EstimatedHours {
			t.Errorf("the units take %g hours and the course says %g", hours, c.EstimatedHours)
		}
	})
}

func TestUnknownCoursesAndExercisesDoNotExist(t *testing.T) {
	if _, err := courses.Find("python-basics"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("find: %v", err)
	}
	each(t, func(t *testing.T, c courses.Course) {
		for _, slug := range []string{"nothing", "../..", ""} {
			if _, err := c.Exercise(slug); err == nil {
				t.Errorf("exercise %q was found", slug)
			}
		}
	})
}

func TestUnitsBuildOnlyOnConceptsTaughtBefore(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		list := units(t, c)
		if len(list) != 8 {
			t.Fatalf("%d units, want 8", len(list))
		}
		var taught []string
		for i, u := range list {
			if u.Number != i+1 {
				t.Errorf("%s says unit %d", u.Path, u.Number)
			}
			if u.Title == "" || len(u.Objectives) < 3 || len(u.Concepts) < 3 || u.EstimatedHours <= 0 {
				t.Errorf("%s: front matter %+v", u.Path, u)
			}
			if !strings.HasPrefix(u.Body, "# "+u.Title+"\n") {
				t.Errorf("%s does not begin with its title", u.Path)
			}
			for _, p := range u.Prerequisites {
				if !slices.Contains(taught, p) {
					t.Errorf("%s needs %q, which no earlier unit teaches", u.Path, p)
				}
			}
			taught = append(taught, u.Concepts...)
		}
		for _, x := range exercises(t, c) {
			known := []string{}
			for _, u := range list[:x.Unit] {
				known = append(known, u.Concepts...)
			}
			for _, concept := range x.Concepts {
				if !slices.Contains(known, concept) {
					t.Errorf("exercise %s practises %q, which is not taught by unit %d", x.Slug, concept, x.Unit)
				}
			}
		}
	})
}

func TestEveryUnitEndsWithItsGradedExercises(t *testing.T) {
	heading := map[string]string{"en": "\n## Exercises\n", "es": "\n## Ejercicios\n"}
	each(t, func(t *testing.T, c courses.Course) {
		all := exercises(t, c)
		for _, u := range units(t, c) {
			_, section, found := strings.Cut(u.Body, heading[c.Language])
			if !found || strings.Contains(section, "\n## ") {
				t.Errorf("%s does not end with its exercises", u.Path)
			}
			count := 0
			for _, x := range all {
				link := "(exercises/" + x.Slug + "/exercise.md)"
				if mentions := strings.Contains(section, link); mentions != (x.Unit == u.Number) {
					t.Errorf("%s links exercise %s of unit %d: %t", u.Path, x.Slug, x.Unit, mentions)
				}
				if x.Unit == u.Number {
					count++
				}
			}
			if count == 0 {
				t.Errorf("%s has no exercise", u.Path)
			}
		}
	})
}

func TestExercisesSayWhatTheyAskFor(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		modules := map[string]string{}
		frameworks := map[string]int{}
		for _, x := range exercises(t, c) {
			file := x.Module + ".py"
			if x.Title == "" || x.Unit < 1 || x.Difficulty < 1 || x.Difficulty > 5 || x.EstimatedHours <= 0 || x.Language != "python" || len(x.Functions) == 0 {
				t.Errorf("%s: front matter %+v", x.Slug, x)
			}
			if other := modules[x.Module]; other != "" {
				t.Errorf("%s and %s are both module %s", x.Slug, other, x.Module)
			}
			modules[x.Module] = x.Slug
			frameworks[x.TestFramework]++
			tests := x.Tests["test_"+file]
			if len(x.Starter) != 1 || len(x.Solution) != 1 || len(x.Tests) != 1 || tests == "" {
				t.Fatalf("%s: wants one starter, solution and test file of module %s", x.Slug, x.Module)
			}
			if strings.Contains(tests, "import unittest") != (x.TestFramework == "unittest") {
				t.Errorf("%s: its tests are not written for %s", x.Slug, x.TestFramework)
			}
			for _, function := range x.Functions {
				def := regexp.MustCompile(`(?m)^def ` + function + `\(`)
				if !def.MatchString(x.Starter[file]) || !def.MatchString(x.Solution[file]) {
					t.Errorf("%s: starter or solution lacks %s", x.Slug, function)
				}
				if !strings.Contains(tests, function) || !strings.Contains(x.Statement, function) {
					t.Errorf("%s: tests or statement never mention %s", x.Slug, function)
				}
			}
		}
		if frameworks["pytest"] < 4 || frameworks["unittest"] < 4 || len(frameworks) != 2 {
			t.Errorf("frameworks: %v, want both, evenly", frameworks)
		}
	})
}

func TestMaterialNeverGivesAnswersAway(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		material, err := c.Material()
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, p := range material {
			kinds[path.Ext(p)]++
			if strings.Contains(p, "solution") || strings.Contains(p, "test_") {
				t.Errorf("%s gives answers away", p)
			}
		}
		if kinds[".md"] < 9 || kinds[".ipynb"] != 1 || kinds[".py"] < 1 {
			t.Errorf("material: %v", kinds)
		}
	})
}

func TestLinksInTheMaterialLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	each(t, func(t *testing.T, c courses.Course) {
		for _, u := range units(t, c) {
			for _, m := range link.FindAllStringSubmatch(u.Body, -1) {
				if _, err := fs.Stat(c.FS(), m[1]); err != nil {
					t.Errorf("%s links %s: %v", u.Path, m[1], err)
				}
			}
		}
	})
}
