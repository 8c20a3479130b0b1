package reports

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text of a run is written by strangers: authors of pull requests and language
// models. The functions here make it inert where GitHub renders Markdown, so
// that it mentions nobody, refers to no issue, commands no other bot, loads no
// image and breaks out of no table or fence.

// gap is a zero-width space. Put inside "@name" or "#1" it stops GitHub, which
// looks for them in the rendered text, and bots, which look in the source.
const gap = "&#8203;"

// Visible returns s as valid UTF-8 in which characters that hide or reorder
// text, and control characters, are spelled out: "[U+202E]". New lines and
// tabs are kept.
func Visible(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	b := make([]byte, 0, len(s)+len(s)/4)
	for _, r := range s {
		if hidden(r) {
			b = fmt.Appendf(b, "[U+%04X]", r)
			continue
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// hidden reports whether r has no glyph of its own but changes what is read.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7F
	case r == '\uFE0E' || r == '\uFE0F': // text and emoji style, common and harmless
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector):
		return true
	case r == '\u034F' || r == '\u115F' || r == '\u1160' || r == '\u2800' || r == '\u3164' || r == '\uFFA0':
		return true // blank letters
	}
	return false
}

// oneLine is s made visible, on one line, with runs of white space folded, of
// at most limit bytes.
func oneLine(s string, limit int) string {
	s = clip(s, 8*limit) // a huge text is not worth reading to its end
	return clip(strings.Join(strings.Fields(Visible(s)), " "), limit)
}

// clip cuts s to at most limit bytes, at the end of a character, and marks the
// cut.
func clip(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	if limit < len(mark) {
		return ""
	}
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}

// prose is s as one line of Markdown that reads as s and does nothing. Words
// between single backticks are kept as code.
func prose(s string) string {
	s = oneLine(s, maxSentence)
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 || strings.Contains(s, "``") {
		return text(s)
	}
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			b.WriteString(code(part))
		} else if part != "" {
			b.WriteString(text(part))
		}
	}
	return b.String()
}

// code is s as inline code on one line.
func code(s string) string {
	s = oneLine(s, maxSentence)
	// A comment's marker is not repeated in code either: it is how bots find
	// their own comments.
	if s == "" || strings.ContainsAny(s, "`|\\") || strings.Contains(s, "<!--") {
		return "<code>" + text(s) + "</code>"
	}
	return "`" + s + "`"
}

var (
	emojiName   = regexp.MustCompile(`^:[A-Za-z0-9_+-]+:`)
	issueNumber = regexp.MustCompile(`^(?i:gh)-[0-9]`)
	worldWide   = regexp.MustCompile(`^(?i:www)\.`)
	listNumber  = regexp.MustCompile(`^[0-9]+[.)]`)
)

// text escapes one line of visible text for Markdown.
func text(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	if lead := listNumber.FindString(s); lead != "" {
		b.WriteString(lead[:len(lead)-1] + "\\" + lead[len(lead)-1:])
		s = s[len(lead):]
	} else if s != "" && strings.ContainsRune("-+=:", rune(s[0])) {
		b.WriteByte('\\')
	}
	wordStart := true
	for i, r := range s {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '|', '\\': // entities, for a backslash before a bar ends a table's cell
			fmt.Fprintf(&b, "&#%d;", r)
		case '`', '*', '_', '[', ']', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '@', '#':
			b.WriteRune(r)
			b.WriteString(gap)
		default:
			b.WriteRune(r)
			if live(s[i:], r, wordStart) {
				b.WriteString(gap)
			}
		}
		// The hyphen of "GH-1" follows its letters; it is split here.
		if r == '-' && i >= 2 && issueNumber.MatchString(s[i-2:]) {
			b.WriteString(gap)
		}
		wordStart = r == ' ' || r == '('
		if (r == 'w' || r == 'W') && i >= 2 && worldWide.MatchString(s[i-2:]) {
			b.WriteString(gap)
		}
	}
	return b.String()
}

// live reports whether GitHub or a bot would act on rest, which begins with r:
// an address, an emoji's name, a slash command.
func live(rest string, r rune, wordStart bool) bool {
	switch r {
	case ':':
		return strings.HasPrefix(rest, "://") || emojiName.MatchString(rest)
	case '/':
		return wordStart && len(rest) > 1 && rest[1] != ' ' && rest[1] != '/'
	}
	return false
}

// fence is lines as a block of code that no content can close.
func fence(lines []string) string {
	longest := 2
	for _, l := range lines {
		run := 0
		for _, r := range l {
			if r != '`' {
				run = 0
				continue
			}
			run++
			longest = max(longest, run)
		}
	}
	ticks := strings.Repeat("`", longest+1)
	return ticks + "text\n" + strings.Join(lines, "\n") + "\n" + ticks + "\n"
}

var ansi = regexp.MustCompile("\x1b(\\[[0-9:;<=>?]*[ -/]*[@-~]|\\][^\x07\x1b]*(\x07|\x1b\\\\)?|[@-Z\\\\^_])|\u009b[0-9:;<=>?]*[ -/]*[@-~]")

// plainLine is s as one line for a terminal: escape sequences are gone, other
// control characters visible.
func plainLine(s string, limit int) string {
	return oneLine(ansi.ReplaceAllString(clip(s, 8*limit), ""), limit)
}

// noCommand is s, at the beginning of a line of output, without being a
// workflow command where that output is the log of a GitHub Actions job
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
func noCommand(s string) string {
	if strings.HasPrefix(s, "::") || strings.HasPrefix(s, "##[") {
		return "\\" + s
	}
	return s
}
