// Package judging is the vocabulary of judging code: submissions, the steps
// that run them, what the steps produced, and the report about the learner.
// Plugins (through sdk/validator), the test kit and the server share it.
//
// It owns the types, the checks of what a plugin answers, and the loop of
// Plan, execution and Judge. It executes nothing, and knows neither the wire
// (sdk/pluginproto) nor the sandbox (sdk/validatortest/steprun).
package judging
