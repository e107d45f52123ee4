// Package page makes the opaque tokens with which lists are paged by keyset:
// a token carries the key of the last row and belongs to one list with one set
// of filters.
//
// Tokens are not secrets and not signed: whoever makes one up reads only rows
// that the list's own rights give anyway. It runs no queries.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// version is the first byte of a token; it changes when their form does.
const version = 1

// scopeLen is how many bytes of the scope's digest a token carries.
const scopeLen = 8

// MaxToken is the longest token that Decode looks at, in bytes; requests allow
// page_token no more.
const MaxToken = 1000

// Encode makes the token of the page after key. Scope names the list and its
// filters in a canonical form ("goals status=pending,blocked course=c1"), so
// that the token is refused by every other list. Key must marshal as JSON; keep
// it small, the token may have MaxToken bytes.
func Encode(scope string, key any) string {
	body, err := json.Marshal(key)
	if err != nil {
		// Keys are structs of ids and times that their module defines; one that
		// can't be marshalled is a programming error that the first test meets.
		panic("page: key of " + scope + ": " + err.Error())
	}
	token := make([]byte, 0, 1+scopeLen+len(body))
	token = append(token, version)
	token = append(token, digest(scope)...)
	token = append(token, body...)
	return base64.RawURLEncoding.EncodeToString(token)
}

// Decode reads a token that Encode made for the same scope into key, a pointer.
// A token that is damaged, of another list, of other filters, or whose key has
// another form is errs.BadPageToken. The empty token is the first page: key is
// left as it is.
func Decode(token, scope string, key any) error {
	if token == "" {
		return nil
	}
	if len(token) > MaxToken {
		return errs.BadPageToken.New()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return errs.BadPageToken.New().Because(err)
	}
	if len(raw) <= 1+scopeLen || raw[0] != version || !bytes.Equal(raw[1:1+scopeLen], digest(scope)) {
		return errs.BadPageToken.New()
	}
	decoder := json.NewDecoder(bytes.NewReader(raw[1+scopeLen:]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(key); err != nil {
		return errs.BadPageToken.New().Because(err)
	}
	if decoder.More() {
		return errs.BadPageToken.New()
	}
	return nil
}

func digest(scope string) []byte {
	sum := sha256.Sum256([]byte(scope))
	return sum[:scopeLen]
}
