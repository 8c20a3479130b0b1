package command

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var hunkHead = regexp.MustCompile(`^@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@`)

// parseDiff reads a unified diff from what is to what should be, as formatters
// print: each run of changed lines is a problem with its fix.
func parseDiff(out []byte) ([]problem, error) {
	lines := strings.Split(string(out), "\n")
	var all []problem
	path := ""
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "--- ") && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "+++ "):
			path = diffPath(line, lines[i+1])
			i++
		case strings.HasPrefix(line, "@@"):
			if path == "" {
				return nil, errors.New("a hunk is of no file")
			}
			found, used, err := parseHunk(path, lines[i:])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			if all = append(all, found...); len(all) > maxProblems {
				return nil, errMany
			}
			i += used - 1
		}
	}
	if len(all) == 0 && strings.TrimSpace(string(out)) != "" {
		return nil, errors.New("it has no hunks")
	}
	return all, nil
}

// diffPath is the file that two header lines name: the new name, without git's
// prefix and a time stamp.
func diffPath(old, now string) string {
	name, _, _ := strings.Cut(now[len("+++ "):], "\t")
	if strings.HasPrefix(old, "--- a/") && strings.HasPrefix(name, "b/") {
		name = name[2:]
	}
	return strings.TrimSpace(name)
}

// parseHunk reads the hunk that lines begin with, and says how many it has.
func parseHunk(path string, lines []string) (all []problem, used int, err error) {
	m := hunkHead.FindStringSubmatch(lines[0])
	if m == nil {
		return nil, 0, errors.New("a hunk without numbers")
	}
	at := number(m[1], 0)
	olds, news := number(m[2], 1), number(m[3], 1)
	if olds == 0 {
		at++ // git counts from the line before
	}
	var run struct {
		start, deleted int
		text           []string
		open           bool
	}
	context, hasContext := "", false
	flush := func() {
		if !run.open {
			return
		}
		p := problem{path: path, start: run.start, end: run.start + run.deleted - 1, rule: "format", message: "The command proposes another text for these lines."}
		text := strings.Join(run.text, "\n")
		switch {
		case run.deleted > 0:
			p.edit = &edit{startLine: run.start, endLine: p.end, text: text}
		case hasContext: // what is only added goes with the line before
			p.start, p.end = run.start-1, run.start-1
			p.edit = &edit{startLine: p.start, endLine: p.end, text: context + "\n" + text}
		default:
			p.end = p.start
		}
		all = append(all, p)
		run.open = false
	}
	for used = 1; olds > 0 || news > 0; used++ {
		if used == len(lines) {
			return nil, 0, errors.New("a hunk is cut short")
		}
		op, text := byte(' '), ""
		if line := lines[used]; line != "" {
			op, text = line[0], line[1:]
		}
		if (op == '-' || op == '+') && !run.open {
			run.start, run.deleted, run.text, run.open = at, 0, nil, true
		}
		switch op {
		case ' ':
			flush()
			context, hasContext = text, true
			olds, news, at = olds-1, news-1, at+1
		case '-':
			run.deleted++
			olds, at = olds-1, at+1
		case '+':
			run.text = append(run.text, text)
			news--
		case '\\': // no newline at the end of the file
		default:
			return nil, 0, fmt.Errorf("a line of a hunk begins with %q", op)
		}
		if olds < 0 || news < 0 {
			return nil, 0, errors.New("a hunk is longer than it says")
		}
	}
	flush()
	return all, used, nil
}

func number(s string, missing int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return missing
	}
	return n
}
