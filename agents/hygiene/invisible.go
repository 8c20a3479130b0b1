package hygiene

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/agents"
	"assay/review"
)

const (
	// maxLines bounds the lines reported of one file and rule; the rest are
	// counted in the last finding.
	maxLines = 10
	// maxNamed bounds the characters named in one message.
	maxNamed = 3
	// maxFixLine is the longest line that a fix is offered for, in bytes.
	maxFixLine = 2000
	// maxSpots bounds the characters looked at in one line; a line short enough
	// for a fix cannot have more.
	maxSpots = maxFixLine
)

// names are the characters that change the direction of text or cannot be
// seen, with what Unicode calls them.
var names = map[rune]string{
	'\u202A': "LEFT-TO-RIGHT EMBEDDING", '\u202B': "RIGHT-TO-LEFT EMBEDDING", '\u202C': "POP DIRECTIONAL FORMATTING",
	'\u202D': "LEFT-TO-RIGHT OVERRIDE", '\u202E': "RIGHT-TO-LEFT OVERRIDE",
	'\u2066': "LEFT-TO-RIGHT ISOLATE", '\u2067': "RIGHT-TO-LEFT ISOLATE", '\u2068': "FIRST STRONG ISOLATE", '\u2069': "POP DIRECTIONAL ISOLATE",

	'\u200B': "ZERO WIDTH SPACE", '\u200C': "ZERO WIDTH NON-JOINER", '\u200D': "ZERO WIDTH JOINER", '\u2060': "WORD JOINER",
	'\uFEFF': "ZERO WIDTH NO-BREAK SPACE", '\u180E': "MONGOLIAN VOWEL SEPARATOR", '\u00AD': "SOFT HYPHEN", '\u034F': "COMBINING GRAPHEME JOINER",
	'\u115F': "HANGUL CHOSEONG FILLER", '\u1160': "HANGUL JUNGSEONG FILLER", '\u3164': "HANGUL FILLER", '\uFFA0': "HALFWIDTH HANGUL FILLER",
	'\u2061': "FUNCTION APPLICATION", '\u2062': "INVISIBLE TIMES", '\u2063': "INVISIBLE SEPARATOR", '\u2064': "INVISIBLE PLUS",
}

// isBidi reports whether the character is one of Trojan Source's.
func isBidi(r rune) bool { return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 }

// isTag reports whether the character is a tag or a variation selector of the
// supplement: text can be written in either so that nobody sees it.
func isTag(r rune) bool { return r >= 0xE0000 && r <= 0xE01EF }

func nameOf(r rune) string {
	switch name := names[r]; {
	case name != "":
		return fmt.Sprintf("U+%04X %s", r, name)
	case r >= 0xE0100:
		return fmt.Sprintf("U+%04X VARIATION SELECTOR", r)
	default:
		return fmt.Sprintf("U+%04X TAG CHARACTER", r)
	}
}

// characters finds lines with characters that deceive, a finding for each. In
// tests and generated files characters that cannot be seen are there on
// purpose: as data, and as the tables of parsers. So they are in lines that only
// a machine writes so long. Tags are not.
func (a *Agent) characters(f review.File) []review.Finding {
	counts := map[string]int{}
	made := agents.TestPath(f.Path) || agents.GeneratedPath(f.Path)
	var found []review.Finding
	for l := range f.Added() {
		if ascii(l.Text) {
			continue
		}
		bidi, hidden := deceptive(l)
		for _, c := range []struct {
			rule  string
			spots []spot
		}{{ruleBidi, bidi}, {ruleInvisible, hidden}} {
			if len(c.spots) == 0 || c.rule == ruleInvisible && (made || len(l.Text) > maxFixLine) && !slices.ContainsFunc(c.spots, func(s spot) bool { return isTag(s.r) }) {
				continue
			}
			if counts[c.rule]++; counts[c.rule] <= maxLines {
				found = append(found, a.character(c.rule, f.Path, l, c.spots))
			}
		}
	}
	for i := range found {
		if more := counts[found[i].Rule] - maxLines; more > 0 {
			counts[found[i].Rule] = 0
			found[i].Message += fmt.Sprintf(" %d more lines of this file than are listed have them.", more)
		}
	}
	return found
}

// spot is a character where it stands, by byte.
type spot struct {
	at int
	r  rune
}

func (a *Agent) character(rule, path string, l review.Line, spots []spot) review.Finding {
	what := "can make this line read differently from what it is"
	if rule == ruleInvisible {
		what = "cannot be seen"
	}
	c := a.finding(rule, path, fmt.Sprintf("%s %s: remove it, or write it as an escape.", named(spots), what))
	c.StartLine, c.EndLine = l.New, l.New
	c.Evidence = escaped(l.Text)
	if slices.ContainsFunc(spots, func(s spot) bool { return isTag(s.r) }) {
		c.Severity = review.High
	} else if prose(path) || translation(path) || agents.TestPath(path) {
		c.Severity = review.Low
	}
	if len(l.Text) <= maxFixLine && utf8.ValidString(l.Text) {
		c.Fix = &review.Fix{Replacement: without(l.Text, spots)}
	}
	return c
}

// named lists the characters, each once.
func named(spots []spot) string {
	var list []string
	for _, s := range spots {
		if n := nameOf(s.r); !slices.Contains(list, n) {
			list = append(list, n)
		}
		if len(list) > maxNamed {
			list[maxNamed] = "others"
			break
		}
	}
	return strings.Join(list, ", ")
}

// deceptive lists the characters of a line that have no honest use where they
// stand.
func deceptive(l review.Line) (bidi, hidden []spot) {
	before := rune(-1)
	for i, r := range l.Text {
		if len(bidi)+len(hidden) == maxSpots {
			break
		}
		switch {
		case isBidi(r):
			bidi = append(bidi, spot{i, r})
		case r == utf8.RuneError || names[r] == "" && !isTag(r):
		case honest(l, i, r, before):
		default:
			hidden = append(hidden, spot{i, r})
		}
		before = r
	}
	return bidi, hidden
}

// honest reports whether an invisible character is part of writing: a byte
// order mark, a joiner in an emoji or in a script that needs it, a flag, a
// filler among Korean.
func honest(l review.Line, at int, r, before rune) bool {
	after, _ := utf8.DecodeRuneInString(l.Text[at+utf8.RuneLen(r):])
	switch r {
	case '\uFEFF':
		return l.New == 1 && at == 0
	case '\u200C', '\u200D':
		return joins(before) && (joins(after) || r == '\u200C')
	case '\u115F', '\u1160':
		return unicode.Is(unicode.Hangul, before) || unicode.Is(unicode.Hangul, after)
	case '\u180E':
		return unicode.Is(unicode.Mongolian, before)
	}
	switch {
	case r >= 0xE0020 && r <= 0xE007F: // England, Scotland, Wales
		return before == '\U0001F3F4' || flagTail(l.Text[:at])
	case r >= 0xE0100:
		return unicode.Is(unicode.Han, before)
	}
	return false
}

// flagTail reports whether the text ends in a flag and at most six tags.
func flagTail(text string) bool {
	for range 7 {
		r, n := utf8.DecodeLastRuneInString(text)
		if r == '\U0001F3F4' {
			return true
		}
		if r < 0xE0020 || r > 0xE007F {
			return false
		}
		text = text[:len(text)-n]
	}
	return false
}

// joins reports whether joiners are written beside the character.
func joins(r rune) bool {
	return r == '\uFE0F' || unicode.In(r, unicode.So, unicode.Sk, unicode.Sm) && r > 0x2000 ||
		unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
			unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Mongolian)
}

// escaped is the text with its deceptive characters made visible, cut around
// the first of them.
func escaped(text string) string {
	const around = 200
	var out strings.Builder
	first := strings.IndexFunc(text, func(r rune) bool { return names[r] != "" || isTag(r) })
	from, to := max(0, first-around), min(len(text), first+around)
	for i, r := range strings.ToValidUTF8(text[from:to], "\uFFFD") {
		switch {
		case i == 0 && from > 0:
			out.WriteString("…")
		case isTag(r) || names[r] != "":
			fmt.Fprintf(&out, "<U+%04X>", r)
		case r != '\r':
			out.WriteRune(r)
		}
	}
	if to < len(text) {
		out.WriteString("…")
	}
	return out.String()
}

// without is the text with the characters at the spots taken out, and only
// there: the same character may be honest elsewhere on the line.
func without(text string, spots []spot) string {
	var out strings.Builder
	done := 0
	for _, s := range spots {
		out.WriteString(text[done:s.at])
		done = s.at + utf8.RuneLen(s.r)
	}
	out.WriteString(text[done:])
	return out.String()
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// translation reports whether the path looks like texts for people to read in
// their language, which may need marks of direction.
func translation(p string) bool {
	p = strings.ToLower(p)
	for _, dir := range []string{"locale/", "locales/", "i18n/", "l10n/", "lang/", "langs/", "translations/"} {
		if strings.HasPrefix(p, dir) || strings.Contains(p, "/"+dir) {
			return true
		}
	}
	return strings.Contains(p, "/values-") && strings.HasSuffix(p, ".xml") // Android
}
