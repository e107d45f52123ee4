package events

// RefuseWhen has every unit of work fail that appends to a stream of somebody for
// whom fn holds: a look into memory. Wiring time only.
func (l *Log) RefuseWhen(fn func(subjectID string) bool) { l.refused = fn }

// Refused is whether somebody is erased, or about to be: nothing of theirs that
// is still in somebody's hands may leave the server.
func (l *Log) Refused(subjectID string) bool {
	return l.refused != nil && subjectID != "" && l.refused(subjectID)
}

// Forget takes events of people for whom fn holds out of this replica's memory:
// followers of the log don't meet them any more, as if they had never been.
func (l *Log) Forget(fn func(subjectID string) bool) { l.feed.forget(fn) }

func (f *feed) forget(fn func(subjectID string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := map[string]bool{"": false}
	// A new array: followers may hold parts of the old one.
	kept := make([]Event, 0, len(f.history))
	for _, e := range f.history {
		gone, known := asked[e.Stream.SubjectID]
		if !known {
			gone = fn(e.Stream.SubjectID)
			asked[e.Stream.SubjectID] = gone
		}
		if gone {
			f.bytes -= len(e.Raw)
			continue
		}
		kept = append(kept, e)
	}
	f.history = kept
}
