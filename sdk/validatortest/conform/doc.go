// Package conform checks a validator plugin against what every plugin owes its
// host: what it answers, how its process behaves, and the reports of a folder of
// cases. sdk/validatortest runs the checks as Go tests, `tracker plugin check`
// without Go; so this package must not import testing.
//
// Steps run in the real sandbox: a program that uses it calls sandbox.Init first.
package conform
