// Package validatortest tests a validator plugin the way the tracker uses it:
// through real gRPC, with steps that run in the real sandbox.
//
//	func TestSpec(t *testing.T)   { validatortest.Spec(t, spec) }
//	func TestCases(t *testing.T)  { validatortest.Dir(t, spec, "testdata") }
//	func TestBinary(t *testing.T) { validatortest.Binary(t, "../../bin/plugins/validator-x") }
//
// Spec and Binary check what every plugin owes its host; Dir runs a folder of
// readable cases and compares the reports (see Case). It judges no course's
// exercises: that is `tracker validate`.
package validatortest
