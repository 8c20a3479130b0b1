package secrets

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

const (
	// mask stands for a secret. It does not tell the secret's length.
	mask = "********"
	// maxShown is how much of the beginning of a secret is ever shown, in bytes.
	maxShown = 4
	// maxEvidence and around bound the evidence, in bytes.
	maxEvidence = 600
	around      = 120
)

// masked is the code of the hit with everything secret in it masked: all hits
// on its lines, and every other place where the same text stands.
//
// Evidence is stored, shown and hashed into the fingerprint, so nothing of a
// secret may be left in it. What is shown of its beginning is only what the
// rule itself says everybody's begins with ("ghp_").
func masked(b block, hits []hit, of int) string {
	text, from := b.span(hits[of].start, hits[of].end)
	to := from + len(text)
	var out strings.Builder
	done, focus := from, 0
	for i, h := range hits {
		start, end := token(b.text, h.start, h.end)
		start, end = max(start, from), min(end, to)
		if end <= done || start >= end {
			continue
		}
		if start > done {
			out.WriteString(b.text[done:start])
		}
		if i == of {
			focus = out.Len()
		}
		if start == h.start && start >= done {
			out.WriteString(prefix(h, b.text[start:end]))
		}
		out.WriteString(mask)
		done = end
	}
	out.WriteString(b.text[done:to])
	text = out.String()
	for _, h := range hits {
		if secret := b.text[h.start:h.end]; len(secret) > maxShown {
			text = strings.ReplaceAll(text, secret, mask)
		}
	}
	return excerpt(text, focus)
}

// mark is a few bits of the secret's hash, as "#3fa21": with it the fingerprint
// of a finding changes when another secret stands in the same place, so that
// what was said of the old one does not hold for it.
//
// It must not help to guess the secret. No key is at hand, so the bits are few:
// of a long random one 20, which leave it as good as unknown; of one that may be
// a password 8, which rule out 255 of 256 guesses and tell one from another
// almost always. Repository and path take part, so that marks of the same
// secret in two places do not tell that it is the same.
func mark(repo, path, secret string) string {
	sum := sha256.Sum256([]byte("assay secret\x00" + repo + "\x00" + path + "\x00" + secret))
	digits := hex.EncodeToString(sum[:])
	if entropy(secret)*float64(len(secret)) < strong {
		return "#" + digits[:2]
	}
	return "#" + digits[:5]
}

// strong is how much a secret must have to guess, in bits, as far as its
// characters tell.
const strong = 100

// token stretches a secret to the whole word it stands in: a rule may match
// only the beginning of a longer secret.
func token(text string, start, end int) (int, int) {
	for start > 0 && wordByte(text[start-1]) {
		start--
	}
	for end < len(text) && (wordByte(text[end]) || strings.IndexByte("=.~%", text[end]) >= 0) {
		end++
	}
	return start, end
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/_-", c) >= 0 || c >= utf8.RuneSelf
}

// prefix is the beginning of the secret as far as the rule's keyword gives it
// away anyway.
func prefix(h hit, secret string) string {
	for _, k := range h.rule.keywords {
		// A word that is longer than the prefix by little is not worth the risk.
		if len(secret) >= len(k)+16 && strings.EqualFold(secret[:len(k)], k) {
			return secret[:min(len(k), maxShown)]
		}
	}
	return ""
}

// excerpt cuts a long text to what is around the focus, at whole runes.
func excerpt(text string, focus int) string {
	if len(text) <= maxEvidence {
		return text
	}
	from, to := max(0, focus-around), min(len(text), focus+around+len(mask))
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	out := text[from:to]
	if from > 0 {
		out = "…" + out
	}
	if to < len(text) {
		out += "…"
	}
	return out
}
