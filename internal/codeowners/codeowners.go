// Package codeowners reads CODEOWNERS files as GitHub does: the last line that
// matches a path owns it, and a line that GitHub cannot read owns nothing.
//
// Patterns are github.com/hmarr/codeowners'. It reads fewer characters than
// GitHub, so a line that only it refuses is no mistake but one of which nothing
// is known (File.Unread), and then nothing is said of what it might own.
// Whether owners exist and may write is not known here.
package codeowners

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hmarr/codeowners"

	"assay/review"
)

// Locations are where GitHub looks for the file; the first that is there counts
// (https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
func Locations() []string {
	return []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}
}

// Is reports whether GitHub may read the path as a CODEOWNERS file.
func Is(path string) bool {
	for _, l := range Locations() {
		if path == l {
			return true
		}
	}
	return false
}

// MaxSize is the largest file that GitHub loads, in bytes; of a larger one it
// shows no owners. See Locations for the source.
const MaxSize = 3 << 20

const (
	maxLines = 20_000
	maxLine  = 4096
)

// File is a CODEOWNERS file.
type File struct {
	// Path is where it was found; empty where Parse made it.
	Path string
	// Rules are the lines that could be read, in order.
	Rules []Rule
	// Problems are the lines that GitHub skips.
	Problems []Problem
	// Unread is the number of lines of which it is not known what they match.
	Unread int
}

// Rule is one line of the file.
type Rule struct {
	// Line is 1-based.
	Line    int
	Pattern string
	// Owners are as written; none means that nobody owns what matches.
	Owners []string
	rule   codeowners.Rule
}

// Match reports whether the pattern matches the path of a file.
func (r Rule) Match(path string) bool {
	ok, err := r.rule.Match(path)
	return ok && err == nil
}

// Problem is a mistake in one line.
type Problem struct {
	Line int
	// Text is the line, without the white space around it.
	Text string
	// Message is a plain phrase.
	Message string
}

// Load reads the file that GitHub would; ok is false when there is none.
func Load(ctx context.Context, contents review.Contents, side review.Side) (f File, ok bool, err error) {
	for _, path := range Locations() {
		text, err := contents.Read(ctx, side, path)
		if errors.Is(err, review.ErrNotExist) {
			continue
		}
		if err != nil {
			return File{}, false, fmt.Errorf("read %s: %w", path, err)
		}
		f = Parse(text)
		f.Path = path
		return f, true, nil
	}
	return File{}, false, nil
}

// Parse reads the text of a CODEOWNERS file. It reads whatever it is given.
func Parse(text []byte) File {
	var f File
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if number > maxLines {
			f.Unread++
			break
		}
		if number == 1 {
			line = strings.TrimPrefix(line, "\uFEFF")
		}
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' {
			f.add(number, line)
		}
	}
	return f
}

func (f *File) add(number int, line string) {
	if len(line) > maxLine {
		f.Unread++
		return
	}
	fields := strings.Fields(uncommented(line))
	if message := mistake(fields); message != "" {
		f.Problems = append(f.Problems, Problem{Line: number, Text: line, Message: message})
		return
	}
	// The owners have been checked here: GitHub takes more of them than the
	// library does, so it is given the pattern alone. A bare slash, which
	// matches nothing, makes its Match panic (v1.2.1).
	rules, err := codeowners.ParseFile(strings.NewReader(fields[0]))
	if err != nil || len(rules) != 1 || fields[0] == "/" || strings.Contains(fields[0], `\`) {
		f.Unread++
		return
	}
	f.Rules = append(f.Rules, Rule{Line: number, Pattern: fields[0], Owners: fields[1:], rule: rules[0]})
}

// uncommented is the line without a comment at its end.
func uncommented(line string) string {
	for i := 1; i < len(line); i++ {
		if line[i] == '#' && (line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}

// mistake says what GitHub's documentation rules out in a line; it is empty for
// all else. A pattern with an escaped space has its parts among the owners, so
// of such a line nothing is said.
func mistake(fields []string) string {
	pattern := fields[0]
	switch {
	case strings.Contains(pattern, `\`):
		return ""
	case strings.HasPrefix(pattern, "!"):
		return "a pattern cannot be negated with !"
	case strings.Contains(pattern, "***"):
		return "a pattern cannot hold three asterisks in a row"
	}
	for _, owner := range fields[1:] {
		if !ownerForm.MatchString(owner) {
			return fmt.Sprintf("%q is not an owner: use @user, @organisation/team or an address", clip(owner))
		}
	}
	return ""
}

// ownerForm is generous: what it refuses is no owner by any reading.
var ownerForm = regexp.MustCompile(`^(?:@[\w.-]+(?:/[\w.-]+)?|[^\s@]+@[^\s@]+\.[^\s@]+)$`)

func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// Ownership is whether somebody owns a path.
type Ownership int

// The answers. Disowned is a path whose last match names no owner: somebody
// decided that nobody owns it.
const (
	Unknown Ownership = iota
	Owned
	Disowned
	Unmatched
)

// Ownership reports whether somebody owns the path of a file.
func (f File) Ownership(path string) Ownership {
	if f.Unread > 0 {
		return Unknown
	}
	for i := len(f.Rules) - 1; i >= 0; i-- {
		if f.Rules[i].Match(path) {
			if len(f.Rules[i].Owners) == 0 {
				return Disowned
			}
			return Owned
		}
	}
	return Unmatched
}
