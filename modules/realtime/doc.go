// Package realtime keeps open screens up to date: a WebSocket and a server
// stream that push every event of a person in the order of the log, transient
// progress between them, and take commands that run through the same mux as
// any request.
//
// It owns no table and decides nothing. One hub per replica follows the log and
// encodes each event once; a client that was away names the last event it saw
// and gets what it missed from the database.
package realtime
