// Package sqltext reads SQL as text: tokens with their places, statements, and
// a few mistakes that can be seen without running anything.
//
// It owns what both dialects have in common and where they differ in their
// tokens. It is not a parser: what SQL means is left to the database. Whatever
// text it gets, it neither fails nor takes more than linear time.
package sqltext
