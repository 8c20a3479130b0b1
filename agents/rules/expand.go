package rules

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what the lines of a stranger put into a team's message, in bytes.
const (
	maxGroup    = 100
	maxExpanded = 2000
)

// reference is $1, $name, ${1} or ${name}; $$ is a dollar sign. A name without
// braces is as long as it can be, as in regexp.Expand.
var reference = regexp.MustCompile(`\$(?:\$|\w+|\{\w+\})`)

// expand puts what the groups of the expression matched in line into the
// message. What is no reference to a group that there is ("$5 a month") stays
// as it was written. What comes from the line is cut and on one line, and
// nothing in it is taken for a reference.
func expand(message string, expression *regexp.Regexp, line string, groups []int) string {
	out := reference.ReplaceAllStringFunc(message, func(ref string) string {
		if ref == "$$" {
			return "$"
		}
		at := groupOf(expression, strings.Trim(ref, "${}"))
		if at < 0 || 2*at+1 >= len(groups) {
			return ref
		}
		if groups[2*at] < 0 {
			return "" // the group took no part
		}
		return oneLine(line[groups[2*at]:groups[2*at+1]])
	})
	return cut(out, maxExpanded)
}

// groupOf is the number of the group that a reference names; -1 for none.
func groupOf(expression *regexp.Regexp, name string) int {
	if len(name) <= 2 && strings.Trim(name, "0123456789") == "" {
		n := 0
		for _, digit := range name {
			n = n*10 + int(digit-'0')
		}
		if n > expression.NumSubexp() {
			return -1
		}
		return n
	}
	return expression.SubexpIndex(name)
}

func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return cut(text, maxGroup)
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
