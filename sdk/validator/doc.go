// Package validator is what the author of a validator plugin imports: a plugin
// that judges code in a language.
//
// A plugin is data. Fill a [Spec] and give it to [Main]:
//
//	func main() { validator.Main(spec) }
//
// The plugin plans and judges, the tracker's sandbox executes: a plugin never
// runs a submission itself. Rules that only read text need no steps at all.
// Test a spec with sdk/validatortest; start from plugins/examples/hello.
package validator
