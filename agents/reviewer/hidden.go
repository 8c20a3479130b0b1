package reviewer

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// visible makes text as it is seen: what would be invisible, or would make
// other text look otherwise, is written as its code point. Lines stay lines.
func visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hidden reports whether a rune is invisible: controls, zero-width characters,
// directions (https://trojansource.codes), tags and variation selectors, by
// which whole texts have been hidden.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ', r >= 0x7F && r < 0xA0, r == unicode.ReplacementChar:
		return true
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0,
		r >= 0x180B && r <= 0x180F, r >= 0x200B && r <= 0x200F, r >= 0x2028 && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
		r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return false
}

var (
	htmlComment = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)`)
	image       = regexp.MustCompile(`!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?|(?i:<img\b[^>]*>?)`)
)

// plainly is what a person sees of markdown that was rendered: no comments, no
// images and their alternative texts.
func plainly(markdown string) string {
	return image.ReplaceAllString(htmlComment.ReplaceAllString(markdown, "[hidden comment left out]"), "[image left out]")
}
