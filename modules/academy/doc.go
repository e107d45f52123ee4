// Package academy is the tracker's view of the other service, which owns
// people, courses and logins: lookups with a cache in front, so that a slow or
// dead academy never blocks a learner's work, and its events, each taken in
// once.
//
// It owns the schema "academy": the inbox of events, and when something was
// last heard of whom. It stores no person: users and courses are ids here,
// names and titles are looked up when somebody reads them. The stand-in for
// development is cmd/academy.
package academy
