package validation

import "github.com/goals-tracker/tracker/sdk/judging"

// TaskProblem is the report of a run whose task can't be judged by: its tests
// don't parse, or ask for what they don't allow. Trying again does not help, and
// it is not the learner's fault. The problem is for the task's teachers.
func TaskProblem(plugin, problem string) Report {
	r := PlatformError(plugin)
	r.Problem = cut(clean(problem), 4000)
	r.Summary = Text{
		EN: "The tests of this task have a problem, so your code could not be judged. It does not count; your teacher was told.",
		ES: "Las pruebas de esta tarea tienen un problema, así que no se pudo evaluar tu código. No cuenta; se ha avisado a tu docente.",
	}
	return r
}

// enforceIntegrity takes back a pass that was won in the same process as the
// tests where the course demands two: such a pass could be forged. It is not
// the learner's fault, and judging again gives the same, so the run is unproven
// and its teacher is told. Verdicts other than a pass stand: nobody forges those.
func enforceIntegrity(r *Report, required judging.Integrity) {
	if required == "" {
		required = judging.IntegrityShared
	}
	r.RequiredIntegrity = string(required)
	if required != judging.IntegritySplit || r.Verdict != judging.VerdictPassed || r.Integrity == string(judging.IntegritySplit) {
		return
	}
	r.Verdict, r.Score = judging.VerdictUnproven, 0
	r.Problem = "The tests passed, but they ran in one process with the submission, and the course requires integrity split: " +
		"a pass could be forged. Change the tests so that they can run apart from the submission, or let the course accept shared."
	r.Summary = Text{
		EN: "All tests passed, but this course asks for a proof that this task's tests can't give. Your teacher was told.",
		ES: "Todas las pruebas pasaron, pero este curso pide una garantía que las pruebas de esta tarea no pueden dar. Se ha avisado a tu docente.",
	}
}

// Stronger is the stronger of two demands; "" is none.
func Stronger(a, b judging.Integrity) judging.Integrity {
	if a == judging.IntegritySplit || b == judging.IntegritySplit {
		return judging.IntegritySplit
	}
	if a == "" {
		return b
	}
	return a
}
