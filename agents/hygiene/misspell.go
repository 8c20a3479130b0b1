package hygiene

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/golangci/misspell"

	"assay/agents"
	"assay/review"
)

const ruleMisspelling = Name + "/misspelling"

func misspellRules() []agents.Rule {
	return []agents.Rule{{
		ID: ruleMisspelling, Severity: review.Low, Category: review.Maintainability,
		What: "A common misspelling is added to a text or a comment.", Why: "It makes texts harder to read and to find.",
		Fix: "Write the word as proposed.", Example: "bad:\n// recieve blocks until there is a message\ngood:\n// receive blocks until there is a message",
		Silence: "Put the word in backticks or quotes where it is meant as it stands.",
	}}
}

// dictionary leads from misspelt words to the right ones, all in lower case. It
// is the list of golangci/misspell, but for words that are right in English
// somewhere, or names.
func dictionary() map[string]string {
	words := make(map[string]string, len(misspell.DictMain)/2)
	for i := 0; i+1 < len(misspell.DictMain); i += 2 {
		if wrong := misspell.DictMain[i]; len(wrong) > 3 && plain(wrong) && plain(misspell.DictMain[i+1]) {
			words[wrong] = misspell.DictMain[i+1]
		}
	}
	for _, w := range []string{"inbetween"} { // corrected to something else
		delete(words, w)
	}
	return words
}

// plain reports whether the word has lower-case letters alone.
func plain(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' })
}

// slip is a misspelt word, by byte.
type slip struct {
	start, end int
	right      string
}

// misspellings finds misspelt words in what the change adds to texts and
// comments, a finding for each line.
func (a *Agent) misspellings(f review.File) []review.Finding {
	if agents.GeneratedPath(f.Path) || translation(f.Path) || fixture.MatchString(f.Path) || !prose(f.Path) && commentMark(f.Path) == "" {
		return nil
	}
	var found []review.Finding
	fenced := false
	for l := range f.Added() {
		if fence.MatchString(l.Text) {
			fenced = !fenced
		}
		if len(l.Text) > maxFixLine || !utf8.ValidString(l.Text) || fenced && prose(f.Path) {
			continue
		}
		slips := a.slips(f, l.Text)
		if len(slips) == 0 {
			continue
		}
		found = append(found, a.misspelling(f.Path, l, slips))
		if len(found) == maxLines {
			break
		}
	}
	return found
}

// fixture are files whose text is somebody's input, or in another language.
var fixture = regexp.MustCompile(`(?i)(?:^|/)(?:testdata|fixtures?|__fixtures__|corpus|golden|cassettes|dictionar(?:y|ies)|words?|wordlists?)(?:/|\.[a-z]+$)|spell|typo|[._-](?:ar|cs|da|de|es|fi|fr|hi|hu|id|it|ja|ko|nl|no|pl|pt|ro|ru|sv|tr|uk|vi|zh)(?:[-_][a-z]{2})?\.[a-z]+$|(?:^|/)(?:ar|cs|da|de|es|fi|fr|hi|hu|id|it|ja|ko|nl|no|pl|pt|ro|ru|sv|tr|uk|vi|zh)(?:[-_][a-z]{2})?/|(?:^|/)(?:licen[sc]e|authors|contributors|notice)[^/]*$`)

// fence begins and ends a block of code in Markdown.
var fence = regexp.MustCompile("^\\s*(?:```|~~~)")

func (a *Agent) misspelling(p string, l review.Line, slips []slip) review.Finding {
	var fixed strings.Builder
	var names []string
	done := 0
	for _, s := range slips {
		fixed.WriteString(l.Text[done:s.start])
		fixed.WriteString(s.right)
		done = s.end
		names = append(names, fmt.Sprintf("%q is written %q", l.Text[s.start:s.end], s.right))
	}
	fixed.WriteString(l.Text[done:])
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxNamed {
		names = append(names[:maxNamed], "and so on")
	}
	c := a.finding(ruleMisspelling, p, strings.Join(names, ", ")+".")
	c.StartLine, c.EndLine, c.Evidence = l.New, l.New, clip(strings.TrimSpace(l.Text))
	c.Fix = &review.Fix{Replacement: fixed.String()}
	return c
}

// slips are the misspelt words of a line that are no names, no code and not
// misspelt before.
func (a *Agent) slips(f review.File, line string) []slip {
	text, at := line, 0
	if !prose(f.Path) {
		_, comment := splitComment(f.Path, line)
		text, at = comment, len(line)-len(comment)
	}
	var out []slip
	for start := 0; start < len(text); {
		n := strings.IndexFunc(text[start:], unicode.IsLetter)
		if n < 0 {
			break
		}
		start += n
		end := start
		for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] >= 'A' && text[end] <= 'Z') {
			end++
		}
		if end == start { // a letter of another alphabet
			_, n := utf8.DecodeRuneInString(text[start:])
			start += n
			continue
		}
		word := text[start:end]
		if right := a.right(word); right != "" && standsFree(text, start, end) && !quotedWord(text, start) && !properName(text, start) {
			out = append(out, slip{at + start, at + end, right})
		}
		start = end
	}
	if len(out) == 0 || !english(text) {
		return nil
	}
	return slices.DeleteFunc(out, func(s slip) bool { return elsewhere(f, line[s.start:s.end]) })
}

// right is the word as it is written right, in the same case; empty for a word
// that is not known to be wrong.
func (a *Agent) right(word string) string {
	if len(word) < 4 {
		return ""
	}
	rest := word[1:]
	if strings.ToLower(rest) != rest {
		return "" // capitals alone, or within: a name
	}
	right := a.words()[strings.ToLower(word)]
	if right != "" && word[0] >= 'A' && word[0] <= 'Z' {
		right = strings.ToUpper(right[:1]) + right[1:]
	}
	return right
}

// standsFree reports whether the word is none of a path, an address, a name
// with hyphens or underscores, an escape or a tag.
func standsFree(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, n := utf8.DecodeRuneInString(text[end:])
	if start > 0 && !strings.ContainsRune(" \t(*>", before) {
		return false
	}
	if end == len(text) || strings.ContainsRune(" \t\r)*", after) {
		return true
	}
	if !strings.ContainsRune(".,;:!?", after) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(text[end+n:])
	return end+n == len(text) || unicode.IsSpace(next)
}

// properName reports whether the word at the offset is one with a capital in the
// middle of a sentence: likely the name of something.
func properName(text string, at int) bool {
	before := strings.TrimRight(text[:at], " \t*_>#/(-")
	return text[at] <= 'Z' && before != "" && !strings.ContainsAny(before[len(before)-1:], ".!?:")
}

// quotedWord reports whether the offset stands within backticks or double
// quotes. Apostrophes are no quotes in prose.
func quotedWord(text string, at int) bool {
	return strings.Count(text[:at], "`")%2 == 1 || strings.Count(text[:at], `"`)%2 == 1 || strings.Count(text[:at], "“") > strings.Count(text[:at], "”")
}

// commonWords are words that hardly any English sentence goes without, and
// hardly any other language has.
var commonWords = map[string]bool{
	"the": true, "and": true, "this": true, "that": true, "with": true, "are": true, "not": true, "when": true, "from": true, "if": true, "which": true,
	"it": true, "to": true, "you": true, "has": true, "have": true, "should": true, "only": true, "there": true, "because": true, "their": true, "then": true,
}

// english reports whether the text can be English: short, or with one of the
// words that English has everywhere.
func english(text string) bool {
	words := strings.Fields(text)
	if len(words) < 6 {
		return true
	}
	return slices.ContainsFunc(words, func(w string) bool { return commonWords[strings.ToLower(strings.Trim(w, ".,;:!?()"))] })
}

// elsewhere reports whether the word stands in code of the file, as a part of a
// name, or in a line that the change takes out: then it is no slip of the
// change.
func elsewhere(f review.File, word string) bool {
	lower := strings.ToLower(word)
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			text := l.Text
			if l.Op != review.Delete && !prose(f.Path) {
				text, _ = splitComment(f.Path, text)
			} else if l.Op != review.Delete {
				continue
			}
			if strings.Contains(strings.ToLower(text), lower) {
				return true
			}
		}
	}
	return false
}
