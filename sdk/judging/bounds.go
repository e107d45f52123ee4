package judging

// cutLists brings the lists into bounds and says so. What failed stays before
// what passed, and errors before advice.
func cutLists(r *Report) {
	var tests, findings int
	r.Tests, tests = shorten(r.Tests, MaxTests, func(t Test) bool { return t.Status != StatusFail && t.Status != StatusError })
	most := MaxFindings
	if tests > 0 || len(r.Findings) > most {
		most -= 2 // for what is said of it
	}
	r.Findings, findings = shorten(r.Findings, most, func(f Finding) bool { return f.Severity != SeverityError })
	if tests > 0 {
		r.Findings = append(r.Findings, Finding{Rule: "report-cut", Severity: SeverityInfo, Message: Text("judging.tests-cut",
			"{count} more tests were left out of this report, which was too long; they count in the score.",
			"Se omitieron {count} pruebas más de este informe, que era demasiado largo; cuentan en la puntuación.", "count", tests)})
	}
	if findings > 0 {
		r.Findings = append(r.Findings, Finding{Rule: "report-cut", Severity: SeverityInfo, Message: Text("judging.findings-cut",
			"{count} more findings were left out of this report, which was too long.",
			"Se omitieron {count} hallazgos más de este informe, que era demasiado largo.", "count", findings)})
	}
}

// shorten takes the last ones out, those that matter less first.
func shorten[T any](list []T, most int, less func(T) bool) (kept []T, gone int) {
	gone = len(list) - most
	if gone <= 0 {
		return list, 0
	}
	drop := make([]bool, len(list))
	left := gone
	for _, all := range []bool{false, true} {
		for i := len(list) - 1; i >= 0 && left > 0; i-- {
			if !drop[i] && (all || less(list[i])) {
				drop[i] = true
				left--
			}
		}
	}
	for i := range list {
		if !drop[i] {
			kept = append(kept, list[i])
		}
	}
	return kept, gone
}
