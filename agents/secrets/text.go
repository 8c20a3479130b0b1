package secrets

import (
	"context"
	"strings"
)

// unscanned stands for text that could not be gone over.
const unscanned = "[left out: too costly to scan for secrets]"

// Mask takes the secrets out of a text that is to leave the process: what the
// agent would report, wherever it stands. Lines stay lines. A text that is too
// costly to go over is left out as a whole; nothing passes unseen.
func (a *Agent) Mask(text string) string {
	if text == "" {
		return text
	}
	b := blockOf(text)
	s := scanner{set: a.set, work: baseWork + workFactor*len(text), applies: make([]int8, len(a.set.rules))}
	hits, whole := s.scan(context.Background(), b)
	if !whole || len(text) > maxText {
		return unscanned + strings.Repeat("\n", strings.Count(text, "\n"))
	}
	if len(hits) == 0 {
		return text
	}
	var out strings.Builder
	done := 0
	for _, h := range hits {
		start, end := token(b.text, h.start, h.end)
		start, end = max(start, done), min(end, len(text))
		if start >= end {
			continue
		}
		out.WriteString(text[done:start])
		out.WriteString(mask)
		out.WriteString(strings.Repeat("\n", strings.Count(text[start:end], "\n")))
		done = end
	}
	out.WriteString(text[done:])
	masked := out.String()
	for _, h := range hits { // the same secret, where no rule knows it
		if secret := b.text[h.start:h.end]; len(secret) > maxShown && !strings.Contains(secret, "\n") {
			masked = strings.ReplaceAll(masked, secret, mask)
		}
	}
	return masked
}

// blockOf is a block of a text that is in no file.
func blockOf(text string) block {
	b := block{text: text + "\n", first: 1, starts: []int{0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			b.starts = append(b.starts, i+1)
		}
	}
	return b
}
