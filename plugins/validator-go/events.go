package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	separator = 0x1e
	marker    = "\x16" // how package testing marks its own lines for tools
	setup     = "judge-setup"
	// mostOutput is kept of one test's output.
	mostOutput = 16 << 10
)

// outcome is what a test said of itself.
type outcome struct {
	name     string
	status   validator.TestStatus // empty while it runs
	duration time.Duration
	log      strings.Builder // what t.Log and the like said
	output   strings.Builder // what was printed meanwhile
	panicked *crash
}

// reported is what one test binary said, in the order in which tests began.
type reported struct {
	tests   []*outcome
	byName  map[string]*outcome
	current *outcome
	outside strings.Builder // printed outside of tests
	// printed counts bytes that are not frames.
	printed int
	ended   bool
	code    int
	// begun says that the harness has taken its key: what is not signed from
	// then on is not the harness's. broken is what it could not do.
	begun  bool
	broken string
}

// read takes frames that the key has signed, in order, and all else as output.
// After a gap or a forgery, nothing counts any more: a frame was lost on
// purpose.
func read(stdout []byte, key string) *reported {
	r := &reported{byName: map[string]*outcome{}}
	raw, err := hex.DecodeString(key)
	if err != nil {
		return r
	}
	number := 0
	var kind byte
	var content strings.Builder
	for len(stdout) > 0 {
		start := bytes.IndexByte(stdout, separator)
		if start < 0 {
			break
		}
		end := bytes.IndexByte(stdout[start+1:], separator)
		if end < 0 {
			break
		}
		frame := stdout[start+1 : start+1+end]
		body, ok := verified(frame, raw)
		if !ok {
			// The second separator may begin a frame.
			if r.print(stdout[:start]); len(frame) > 0 {
				r.print(frame)
			}
			stdout = stdout[start+1+end:]
			continue
		}
		r.print(stdout[:start])
		stdout = stdout[start+end+2:]
		n, k, text, ok := parseFrame(body)
		if !ok || n != number {
			return r
		}
		number++
		content.WriteString(text)
		if kind = k; kind >= 'a' {
			continue // more of it follows
		}
		r.event(kind, content.String())
		content.Reset()
	}
	r.print(stdout)
	return r
}

// verified returns what a frame signs.
func verified(frame, key []byte) ([]byte, bool) {
	mac, body, ok := bytes.Cut(frame, []byte(" "))
	if !ok || len(mac) != 2*sha256.Size {
		return nil, false
	}
	got, err := hex.DecodeString(string(mac))
	if err != nil {
		return nil, false
	}
	h := hmac.New(sha256.New, key)
	h.Write(body)
	return body, hmac.Equal(got, h.Sum(nil))
}

func parseFrame(body []byte) (number int, kind byte, content string, ok bool) {
	parts := strings.SplitN(string(body), " ", 3)
	if len(parts) != 3 || len(parts[1]) != 1 {
		return 0, 0, "", false
	}
	number, err := strconv.Atoi(parts[0])
	if err != nil {
		return 0, 0, "", false
	}
	content, err = strconv.Unquote(parts[2])
	return number, parts[1][0], content, err == nil
}

// notFrames look like frames and are none: nothing that a learner meant to print.
var notFrames = regexp.MustCompile(`\x1e?[0-9a-f]{64} \d+ [A-Za-z] "(?:[^"\\\x1e]|\\.)*"\x1e?`)

// print takes what the submission or a test printed.
func (r *reported) print(p []byte) {
	s := notFrames.ReplaceAllString(string(p), "")
	if strings.Trim(s, "\x1e") == "" {
		return // the ends of frames that were changed
	}
	if len(r.tests) == 0 {
		s = strings.Replace(s, marker+"=== RUN   "+setup+"\n", "", 1)
	}
	if r.current == nil {
		for _, ours := range []string{marker + "PASS\n", marker + "FAIL\n", marker + "=== RUN   " + setup + "\n"} {
			s = strings.Replace(s, ours, "", 1)
		}
	}
	r.printed += len(s)
	to := &r.outside
	if r.current != nil {
		to = &r.current.output
	}
	if room := mostOutput - to.Len(); room > 0 {
		to.WriteString(s[:min(len(s), room)])
	}
}

func (r *reported) event(kind byte, content string) {
	switch kind {
	case 'T':
		r.said(content)
	case 'P':
		name, rest, _ := strings.Cut(content, "\n")
		value, stack, ok := strings.Cut(rest, "\ngoroutine ")
		if t := r.byName[name]; t != nil && ok {
			t.panicked = &crash{value: value, stack: stack}
		}
	case 'S':
		r.begun = true
	case 'D':
		r.broken = content
	case 'E':
		r.ended = true
		r.code, _ = strconv.Atoi(content) // written by the harness
	}
}

var ended = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (\S+) \((\d+\.\d+)s\)$`)

// said takes one write of package testing: an event in its first line and what
// was logged behind it, or a line that the current test logs.
func (r *reported) said(text string) {
	text, event := strings.CutPrefix(text, marker)
	if !event {
		if r.current != nil {
			r.current.log.WriteString(text)
		}
		return
	}
	line, rest, _ := strings.Cut(text, "\n")
	verb, name, _ := strings.Cut(strings.TrimPrefix(line, "=== "), " ")
	name = strings.TrimSpace(name)
	if m := ended.FindStringSubmatch(line); m != nil {
		verb, name = m[1], m[2]
	}
	if name == setup {
		return
	}
	t := r.byName[name]
	switch verb {
	case "RUN":
		if t != nil {
			return // a name of before; package testing numbers equal ones
		}
		t = &outcome{name: name}
		r.tests, r.byName[name], r.current = append(r.tests, t), t, t
	case "NAME", "CONT":
		r.current = t
	case "PAUSE":
	case "PASS", "FAIL", "SKIP":
		if t == nil {
			return
		}
		t.status = map[string]validator.TestStatus{"PASS": validator.Pass, "FAIL": validator.Fail, "SKIP": validator.Skip}[verb]
		if m := ended.FindStringSubmatch(line); m != nil {
			if s, err := strconv.ParseFloat(m[3], 64); err == nil {
				t.duration = time.Duration(s * float64(time.Second))
			}
		}
		t.log.WriteString(rest)
	}
}

// running is the innermost test that had begun and not ended.
func (r *reported) running() *outcome {
	if r.current != nil && r.current.status == "" {
		return r.current
	}
	for i := len(r.tests) - 1; i >= 0; i-- {
		if r.tests[i].status == "" {
			return r.tests[i]
		}
	}
	return nil
}
