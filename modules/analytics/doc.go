// Package analytics shows where a learner, or a class, stands: progress and
// activity as projections of the event log.
//
// It owns the tables of schema analytics, all derived: they trail the log by
// moments and can be rebuilt from it. It decides nothing and changes no other
// module's data.
package analytics
