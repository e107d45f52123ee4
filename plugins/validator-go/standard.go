package main

import "strings"

// standard are the first elements of the standard library's import paths.
var standard = func() map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(`archive bufio bytes cmp compress container context crypto database debug embed encoding errors
		expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime
		slices sort strconv strings structs sync syscall testing text time unicode unique unsafe weak`) {
		m[name] = true
	}
	return m
}()

// isStandard says whether an import is one that only the standard library has.
func isStandard(importPath string) bool { return standard[firstElement(importPath)] }
