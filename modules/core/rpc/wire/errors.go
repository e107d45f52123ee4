package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Malformed is the error of bytes that are not JSON, or not UTF-8.
var Malformed = errs.Define(errs.InvalidArgument, "malformed_json",
	"The request is not readable JSON: %s.",
	"La petición no es JSON legible: %s.")

// malformed is bytes that are not JSON; it has a place, but no field.
type malformed struct {
	english, spanish string
	at               int
}

func (e *malformed) Error() string { return fmt.Sprintf("%s at byte %d", e.english, e.at) }

// invalid is JSON that does not fit the message. Its path grows on the way up.
type invalid struct {
	path             string
	english, spanish string
}

func (e *invalid) Error() string { return e.path + ": " + e.english }

// in puts the error under a field or an index.
func in(err error, parent string) error {
	var e *invalid
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.path == "":
		e.path = parent
	case strings.HasPrefix(e.path, "["):
		e.path = parent + e.path
	default:
		e.path = parent + "." + e.path
	}
	return err
}

// public turns a decoder's error into one that the caller may read.
func public(err error) error {
	var bad *malformed
	if errors.As(err, &bad) {
		e := Malformed.New("")
		e.English = fmt.Sprintf("The request is not readable JSON: %s (at byte %d).", bad.english, bad.at)
		e.Spanish = fmt.Sprintf("La petición no es JSON legible: %s (en el byte %d).", bad.spanish, bad.at)
		return e
	}
	var field *invalid
	if errors.As(err, &field) {
		return FieldError(field.path, field.english, field.spanish)
	}
	return err
}

// FieldError is errs.BadInput about one field: its dotted path ("" for the whole
// request) and what is wrong with it in English and Spanish, as the rest of a
// sentence ("must be a number").
func FieldError(path, english, spanish string) *errs.Error {
	en, es := english, spanish
	if path != "" {
		en, es = path+" "+english, path+" "+spanish
	}
	e := errs.BadInput.New("")
	e.English = "The request is not valid: " + en + "."
	e.Spanish = "La petición no es válida: " + es + "."
	if path != "" {
		e.Fields = append(e.Fields, errs.Field{Path: path, Message: english})
	}
	return e
}
