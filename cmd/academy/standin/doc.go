// Package standin is a stand-in for the academy, the service that owns users,
// logins and courses. Development and tests run against it where a real
// academy would be: it speaks the whole HTTP contract that the tracker's
// academy client speaks, over sample people whose passwords are public.
//
// It owns nothing that must last: people and courses come from its Config,
// refresh tokens live in memory and die with the process. It is not an
// identity provider: never put it where strangers can reach it.
//
// Beside the contract, with the service key: PUT and DELETE /api/users/{id} and
// /api/courses/{id} do what its own pages would, POST /api/keys/rotate signs with
// a fresh key. What changes is told to Config.Events while Run runs.
//
// A test starts one with httptest:
//
//	academy, err := standin.New(standin.Config{})
//	srv := httptest.NewServer(academy)
//	token, err := academy.Token("learner-ben")
package standin
