// Package pid1 is the first process of every sandbox: it builds the room from
// inside fresh namespaces, puts the payload into it with everything given up,
// reaps, reports how it ended, and takes the room down by exiting.
//
// It runs with all rights of its own namespaces and so keeps away from what the
// payload produces: it copies bytes and parses none. It talks to the host over
// the control socket only, and ends when that socket ends, so that nothing
// outlives a host that was killed. It is small because its start is paid by
// every step.
package pid1
