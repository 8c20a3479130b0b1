package webhook

import (
	"regexp"
	"strings"
)

// Command is one command of a comment, as "/assay dismiss 3f2a9c01 a reason".
type Command struct {
	// Verb is the word after "/assay" in lower case; empty when there is none.
	Verb string
	// Target is the word after it: a pipeline or a finding. It may be empty.
	Target string
	// Rest is the remainder of the line: the reason of a dismissal.
	Rest string
}

const (
	// maxCommands bounds the commands of one comment that are read.
	maxCommands = 10
	// maxWord bounds a command's verb and target, maxRest its remainder, all
	// in bytes; a line that is longer anywhere is no command.
	maxWord = 100
	maxRest = 1000
)

var (
	// commandLine is a command on its own line. Four spaces or a tab before it
	// would make it code (https://github.github.com/gfm/#indented-code-blocks).
	commandLine = regexp.MustCompile(`^ {0,3}/assay(?:[ \t]+(.*))?$`)
	// fenceLine opens or closes a block of code, in a list or a quotation too.
	fenceLine = regexp.MustCompile("^[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)$")
)

// Commands reads the commands of a comment, at most maxCommands of them. A
// command stands on a line of its own, and neither in a quotation nor in code
// nor in an HTML comment: what is quoted or not seen was not said by whoever
// wrote the comment. Where a block of code is never closed, what follows counts
// as code. Verbs are not checked.
func Commands(body string) []Command {
	var found []Command
	var s scanner
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, " \t\r\n")
		if s.hides(line) {
			continue
		}
		if m := commandLine.FindStringSubmatch(line); m != nil {
			if c, ok := command(m[1]); ok {
				found = append(found, c)
			}
			if len(found) == maxCommands {
				break
			}
		}
	}
	return found
}

func command(words string) (Command, bool) {
	verb, rest := word(words)
	target, rest := word(rest)
	c := Command{Verb: strings.ToLower(verb), Target: target, Rest: rest}
	return c, len(c.Verb) <= maxWord && len(c.Target) <= maxWord && len(c.Rest) <= maxRest
}

func word(s string) (first, rest string) {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// scanner knows whether the lines of a comment stand in code or in an HTML
// comment.
type scanner struct {
	fence  string // what opened the block of code; empty outside of one
	hidden bool
}

func (s *scanner) hides(line string) bool {
	m := fenceLine.FindStringSubmatch(line)
	switch {
	case s.fence != "":
		// A closing fence is as long as the opening one at least and has
		// nothing after it.
		if m != nil && m[2] == "" && strings.HasPrefix(m[1], s.fence) {
			s.fence = ""
		}
		return true
	case s.hidden:
		s.hidden = !strings.Contains(line, "-->")
		return true
	case m != nil && (m[1][0] == '~' || !strings.Contains(m[2], "`")):
		s.fence = m[1]
		return true
	}
	if i := strings.LastIndex(line, "<!--"); i >= 0 {
		s.hidden = !strings.Contains(line[i:], "-->")
	}
	return false
}
