package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// junit reads JUnit XML as its many writers write it: suites in suites, cases
// in any of them.
type junit struct {
	report Report
	test   *Test
	text   *strings.Builder // where text goes
	out    strings.Builder
	detail strings.Builder
	// declared holds the number of tests that each open suite says it has, -1
	// for none, and the number of cases before it.
	declared [][2]int
}

func parseJUnit(content []byte) (*Report, error) {
	dec := xml.NewDecoder(bytes.NewReader(content))
	p := &junit{}
	depth, root := 0, false
	for {
		// RawToken would let tags not match; Token expands only the five
		// entities of XML itself and never reads anything else.
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &p.report, err
		}
		switch t := token.(type) {
		case xml.Directive:
			return &p.report, errors.New("it has a document type, which a report does not need")
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return &p.report, fmt.Errorf("its elements are nested deeper than %d", maxDepth)
			}
			if err := p.fits(t.Name.Local, root); err != nil {
				return &p.report, err
			}
			root = true
			p.start(t)
		case xml.EndElement:
			depth--
			if err := p.end(t.Name.Local); err != nil {
				return &p.report, err
			}
		case xml.CharData:
			if p.text != nil && p.text.Len() < maxText {
				p.text.Write(t)
			}
		}
	}
	if !root {
		return &p.report, errors.New("it is empty")
	}
	p.report.unique()
	return &p.report, nil
}

// fits says whether an element may be where it is.
func (p *junit) fits(name string, root bool) error {
	switch suite := name == "testsuites" || name == "testsuite"; {
	case !root && !suite:
		return fmt.Errorf("its root is <%s>, not <testsuites> or <testsuite>", cut(name, 40))
	case p.test != nil && (suite || name == "testcase"):
		return errors.New("a case holds another: was output put into it without escaping it?")
	}
	return nil
}

func (p *junit) start(t xml.StartElement) {
	attr := map[string]string{}
	for _, a := range t.Attr {
		attr[a.Name.Local] = a.Value
	}
	switch t.Name.Local {
	case "testsuite":
		n, err := strconv.Atoi(attr["tests"])
		if err != nil {
			n = -1
		}
		p.declared = append(p.declared, [2]int{n, len(p.report.Tests)})
	case "testcase":
		name := attr["name"]
		if c := attr["classname"]; c != "" && c != name {
			name = c + "." + name
		}
		p.test = &Test{Name: name, Status: Pass, Duration: seconds(attr["time"])}
		p.out.Reset()
		p.detail.Reset()
	case "failure", "error", "skipped":
		if p.test == nil {
			return
		}
		p.text = &p.detail
		p.test.Message = attr["message"]
		// The worst that is said of a case counts.
		if p.test.Status != Fail && p.test.Status != Error {
			p.test.Status = map[string]Status{"failure": Fail, "error": Error, "skipped": Skip}[t.Name.Local]
		}
	case "system-out", "system-err":
		if p.test != nil {
			p.text = &p.out
		}
	}
}

func (p *junit) end(name string) error {
	switch name {
	case "testcase":
		if p.test == nil {
			return nil
		}
		t := *p.test
		p.test, p.text = nil, nil
		t.Output = p.out.String()
		if detail := strings.TrimSpace(p.detail.String()); t.Message == "" {
			t.Message = detail
		} else if detail != "" && detail != t.Message {
			t.Output = detail + "\n" + t.Output
		}
		return p.report.add(t)
	case "testsuite":
		if n := len(p.declared); n > 0 {
			d := p.declared[n-1]
			p.declared = p.declared[:n-1]
			if got := len(p.report.Tests) - d[1]; d[0] >= 0 && d[0] != got {
				return fmt.Errorf("a suite says that it has %d tests, and %d are there", d[0], got)
			}
		}
	case "failure", "error", "skipped", "system-out", "system-err":
		p.text = nil
	}
	return nil
}

func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f < 1e6) {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}
