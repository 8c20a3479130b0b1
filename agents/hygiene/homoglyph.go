package hygiene

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/agents"
	"assay/review"
)

const ruleHomoglyph = Name + "/homoglyph"

func homoglyphRules() []agents.Rule {
	return []agents.Rule{{
		ID: ruleHomoglyph, Severity: review.High, Category: review.Security,
		What: "A word is added in which letters of another script stand for Latin ones that look the same.",
		Why:  "It reads as one name and is another: a check can be passed by, a call led elsewhere (CVE-2021-42694), or a search finds nothing.",
		Fix:  "Write the word in one script.", HelpURL: trojanSource,
		Example: "bad:\nif isAdm\u0456n {  // the i is Cyrillic\ngood:\nif isAdmin {",
	}}
}

// lookalikes are letters of other scripts that cannot be told from Latin ones
// in most fonts: a small part of Unicode's table of confusables
// (https://www.unicode.org/Public/security/latest/confusables.txt). Greek letters
// that mathematics uses beside Latin ones (α, μ, ρ) look different enough.
var lookalikes = map[rune]byte{
	'а': 'a', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'ӏ': 'l', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'ѕ': 's', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'у': 'y',
	'А': 'A', 'В': 'B', 'С': 'C', 'Е': 'E', 'Н': 'H', 'І': 'I', 'Ј': 'J', 'К': 'K', 'М': 'M', 'О': 'O', 'Р': 'P', 'Ԛ': 'Q', 'Ѕ': 'S', 'Т': 'T', 'Ԝ': 'W', 'Х': 'X', 'Ү': 'Y',
	'ο': 'o', 'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O', 'Ρ': 'P', 'Τ': 'T', 'Υ': 'Y', 'Χ': 'X',
	'օ': 'o', 'ս': 'u', 'ո': 'n', 'հ': 'h', 'Օ': 'O', 'Տ': 'S',
}

// homoglyphs finds words of Latin letters and others that pass for them.
func (a *Agent) homoglyphs(f review.File) []review.Finding {
	var found []review.Finding
	moved := movedLines(f)
	for l := range f.Added() {
		if ascii(l.Text) || moved.has(l.Text) {
			continue
		}
		fixed, word, letter := latinised(l.Text)
		if word == "" {
			continue
		}
		c := a.finding(ruleHomoglyph, f.Path, fmt.Sprintf("In %q the letter %q (U+%04X) is no Latin one, though it looks like %q: write the word in one script.", clip(word), letter, letter, lookalikes[letter]))
		c.StartLine, c.EndLine, c.Evidence = l.New, l.New, clip(l.Text)
		if _, comment := splitComment(f.Path, l.Text); prose(f.Path) || translation(f.Path) || agents.TestPath(f.Path) || strings.Contains(comment, word) {
			c.Severity = review.Low
		}
		if len(l.Text) <= maxFixLine && utf8.ValidString(l.Text) {
			c.Fix = &review.Fix{Replacement: fixed}
		}
		if found = append(found, c); len(found) == maxLines {
			break
		}
	}
	return found
}

// latinised is the text with its deceptive words in Latin letters, the first of
// those words, and the first letter in it that is not Latin.
func latinised(text string) (fixed, first string, letter rune) {
	var out strings.Builder
	for len(text) > 0 {
		n := strings.IndexFunc(text, wordRune)
		if n < 0 {
			n = len(text)
		}
		out.WriteString(text[:n])
		text = text[n:]
		end := strings.IndexFunc(text, func(r rune) bool { return !wordRune(r) })
		if end < 0 {
			end = len(text)
		}
		word := text[:end]
		text = text[end:]
		latin, at := latin(word)
		if first == "" && at != 0 {
			first, letter = word, at
		}
		out.WriteString(latin)
	}
	return out.String(), first, letter
}

// latin is the word in Latin letters if it mixes them with others of which all
// pass for Latin; letter is the first of those, 0 where the word is left alone.
func latin(word string) (text string, letter rune) {
	if ascii(word) {
		return word, 0
	}
	var out strings.Builder
	latin := false
	for _, r := range word {
		switch c, alike := lookalikes[r]; {
		case r < utf8.RuneSelf:
			latin = latin || r != '_' && !unicode.IsDigit(r)
			out.WriteRune(r)
		case alike:
			if letter == 0 {
				letter = r
			}
			out.WriteByte(c)
		default:
			return word, 0
		}
	}
	if !latin {
		return word, 0
	}
	return out.String(), letter
}

func wordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}
