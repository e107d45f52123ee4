// Package academy is the tracker's view of the other service, which owns
// people, courses and logins: lookups with a cache in front, so that a slow or
// dead academy never blocks a learner's work.
//
// It owns no table and stores no person: users and courses are ids here, names
// and titles are looked up when somebody reads them. The stand-in for
// development is cmd/academy.
package academy
