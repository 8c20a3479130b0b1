package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/reviewdog/errorformat"
)

// maxProblems bounds what is kept of one run; agents.MaxFindings of them can be
// shown.
const maxProblems = 100_000

var errMany = fmt.Errorf("more than %d problems", maxProblems)

// parseLines reads what errorformat describes.
func parseLines(format *errorformat.Errorformat, out []byte) ([]problem, error) {
	// The scanner stops at a line over 64 KB without a word.
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	var all []problem
	for s := format.NewScanner(bytes.NewReader(out)); s.Scan(); {
		e := s.Entry()
		if !e.Valid || e.Filename == "" {
			continue
		}
		if len(all) == maxProblems {
			return nil, errMany
		}
		p := problem{path: e.Filename, start: e.Lnum, end: e.EndLnum, message: e.Text, severity: severityOf(string(e.Type))}
		if e.Nr > 0 {
			p.rule = string(e.Type) + strconv.Itoa(e.Nr)
		}
		all = append(all, p)
	}
	return all, nil
}

// decode reads one JSON value and nothing after it.
func decode(out []byte, into any) error {
	if len(bytes.TrimSpace(out)) == 0 {
		return errors.New("it is empty")
	}
	return json.Unmarshal(out, into)
}

// diagnostic is that of the Reviewdog Diagnostic Format
// (https://github.com/reviewdog/reviewdog/tree/master/proto/rdf).
type diagnostic struct {
	Message  string
	Location struct {
		Path  string
		Range *lineRange
	}
	Severity    any
	Code        struct{ Value, URL string }
	Suggestions []struct {
		Range lineRange
		Text  string
	}
}

type lineRange struct{ Start, End struct{ Line, Column int } }

func (d diagnostic) problem() problem {
	p := problem{path: d.Location.Path, rule: d.Code.Value, url: d.Code.URL, message: d.Message}
	switch s := d.Severity.(type) { // the name or the number of an enumeration
	case string:
		p.severity = severityOf(s)
	case float64:
		p.severity = severityOf(map[float64]string{1: "error", 2: "warning", 3: "info"}[s])
	}
	if r := d.Location.Range; r != nil {
		p.start, p.end = r.Start.Line, r.End.Line
	}
	if len(d.Suggestions) == 1 { // of several, none is clearly right
		s := d.Suggestions[0]
		p.edit = &edit{s.Range.Start.Line, s.Range.Start.Column, s.Range.End.Line, s.Range.End.Column, s.Text}
	}
	return p
}

func parseRDJSON(out []byte) ([]problem, error) {
	var said struct {
		Severity    any
		Diagnostics *[]diagnostic
	}
	if err := decode(out, &said); err != nil {
		return nil, err
	}
	if said.Diagnostics == nil {
		return nil, errors.New("it has no diagnostics")
	}
	return problemsOf(*said.Diagnostics)
}

func problemsOf(list []diagnostic) ([]problem, error) {
	if len(list) > maxProblems {
		return nil, errMany
	}
	all := make([]problem, len(list))
	for i, d := range list {
		all[i] = d.problem()
		if all[i].path == "" {
			return nil, fmt.Errorf("diagnostic %d has no path", i)
		}
	}
	return all, nil
}

func parseRDJSONL(out []byte) ([]problem, error) {
	var list []diagnostic
	for i, line := range bytes.Split(out, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var d diagnostic
		if err := json.Unmarshal(line, &d); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		list = append(list, d)
	}
	return problemsOf(list)
}

// parseXML reads the elements of a document one by one.
func parseXML(out []byte, root map[string]bool, each func(xml.StartElement, []xml.StartElement, *xml.Decoder) error) error {
	d := xml.NewDecoder(bytes.NewReader(out))
	d.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("its encoding is %q, and not UTF-8", charset)
	}
	const maxDepth = 100
	var open []xml.StartElement
	seen := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !seen {
				return errors.New("it is empty")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if !seen && !root[t.Name.Local] {
				return fmt.Errorf("it begins with <%s>", t.Name.Local)
			}
			seen = true
			if len(open) == maxDepth {
				return errors.New("it is nested too deep")
			}
			t = t.Copy()
			open = append(open, t)
			if err := each(t, open[:len(open)-1], d); err != nil {
				return err
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func parseCheckstyle(out []byte) (all []problem, err error) {
	err = parseXML(out, map[string]bool{"checkstyle": true}, func(e xml.StartElement, open []xml.StartElement, _ *xml.Decoder) error {
		if e.Name.Local != "error" {
			return nil
		}
		if len(open) == 0 || open[len(open)-1].Name.Local != "file" {
			return errors.New("an error is in no file")
		}
		if len(all) == maxProblems {
			return errMany
		}
		line, _ := strconv.Atoi(attr(e, "line"))
		all = append(all, problem{
			path: attr(open[len(open)-1], "name"), start: line, rule: attr(e, "source"), message: attr(e, "message"), severity: severityOf(attr(e, "severity")),
		})
		return nil
	})
	return all, err
}

// place finds a file and a line in a test's words, as "a_test.go:12".
var place = regexp.MustCompile(`([\w./\\-]+\.\w+)(?::|\(|", line )(\d{1,7})`)

// parseJUnit reads failed test cases. The format has no places; what tools put
// in attributes counts, then the first that the words name.
func parseJUnit(out []byte) (all []problem, err error) {
	err = parseXML(out, map[string]bool{"testsuites": true, "testsuite": true}, func(e xml.StartElement, open []xml.StartElement, _ *xml.Decoder) error {
		if e.Name.Local != "failure" && e.Name.Local != "error" || len(open) == 0 || open[len(open)-1].Name.Local != "testcase" {
			return nil
		}
		if len(all) == maxProblems {
			return errMany
		}
		test := open[len(open)-1]
		p := problem{path: attr(test, "file"), rule: "failure", message: strings.TrimSpace(attr(test, "name") + ": " + attr(e, "message"))}
		p.start, _ = strconv.Atoi(attr(test, "line"))
		if m := place.FindStringSubmatch(attr(e, "message")); m != nil && p.start == 0 {
			p.path = m[1]
			p.start, _ = strconv.Atoi(m[2])
		}
		all = append(all, p)
		return nil
	})
	return all, err
}
