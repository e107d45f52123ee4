// Package reference takes over the database of the Python system that this one
// follows: its goals, tasks and snapshots live on here under their ids, its
// events become history. What it reads it never changes.
//
// Rows come in through the modules' own services, as what their learners did at
// the time when they did it, so that the log tells one story and everything that
// follows from it (progress, search, class views) follows by itself. A row that
// was taken leaves a history.imported event, which also keeps what has no place
// here; a second import, or one that was killed, goes on behind it.
package reference
