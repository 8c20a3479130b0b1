package secrets

import (
	"context"
	"slices"
	"sort"
	"strings"

	"assay/review"
)

const (
	// margin is how far from its keyword a match may lie, in bytes, where the
	// keyword need not be in it: the name of a vendor on a line close by.
	margin = 1 << 10
	// maxName is how far before its keyword an assignment begins, in bytes.
	maxName = 128
	// maxLineReach is how far a window is stretched to whole lines, in bytes.
	maxLineReach = 4 << 10
	// maxMatches bounds the matches of one rule in one window.
	maxMatches = 1000
	// allowMark on a line says that it holds no secret, as gitleaks has it.
	allowMark = "gitleaks:allow"
)

// hit is a secret in a block of text, by byte offsets.
type hit struct {
	rule       *rule
	start, end int
}

// block is the text of consecutive added lines.
type block struct {
	text   string
	first  int   // number of the first line
	starts []int // offset of each line
}

func newBlock(lines []review.Line) block {
	size := 0
	for _, l := range lines {
		size += len(l.Text) + 1
	}
	var text strings.Builder
	text.Grow(size)
	b := block{first: lines[0].New, starts: make([]int, 0, len(lines))}
	for _, l := range lines {
		b.starts = append(b.starts, text.Len())
		text.WriteString(l.Text)
		text.WriteByte('\n')
	}
	b.text = text.String()
	return b
}

// line is the index of the line that holds the offset.
func (b block) line(offset int) int { return sort.SearchInts(b.starts, offset+1) - 1 }

// span is the text of the lines that hold the range, without the last newline,
// and where it begins.
func (b block) span(start, end int) (text string, at int) {
	from, to := b.starts[b.line(start)], len(b.text)
	if l := b.line(max(start, end-1)); l+1 < len(b.starts) {
		to = b.starts[l+1]
	}
	return strings.TrimSuffix(b.text[from:to], "\n"), from
}

// window is a part of the text that a rule is to look at.
type window struct{ from, to int }

// scanner scans the blocks of one file.
type scanner struct {
	set  *ruleset
	path string
	work int // bytes that regular expressions may still be fed
	// applies remembers which rules look at this file: 0 not known yet.
	applies []int8
	lower   []byte
}

// scan returns the secrets of the block in order, none of them overlapping. It
// reports false when it had to stop early: no time, or no work left.
func (s *scanner) scan(ctx context.Context, b block) (found []hit, whole bool) {
	windows := s.windows(b.text)
	rules := make([]*rule, 0, len(windows))
	for r := range windows {
		rules = append(rules, r)
	}
	slices.SortFunc(rules, func(a, b *rule) int { return a.index - b.index })
	whole = true
scan:
	for _, r := range rules {
		for _, w := range windows[r] {
			if s.work -= w.to - w.from; s.work < 0 || ctx.Err() != nil {
				whole = false
				break scan
			}
			found = append(found, s.match(r, b, w)...)
		}
	}
	return keepBest(found), whole
}

// windows finds keywords, and says for each rule where a match can be. Windows
// are whole lines where lines are not too long, for rules know ends of lines.
func (s *scanner) windows(text string) map[*rule][]window {
	windows := make(map[*rule][]window)
	for _, r := range s.set.always {
		if s.looksAt(r) {
			windows[r] = []window{{0, len(text)}}
		}
	}
	s.lower = appendLower(s.lower[:0], text)
	s.set.keywords.Walk(s.lower, func(end, n, keyword int64) bool {
		for _, r := range s.set.byKeyword[keyword] {
			if !r.mayMatch(text, int(end)+1) || !s.looksAt(r) {
				continue
			}
			_, reach := r.compiled()
			from, to := int(end-n)+1-reach-margin, int(end)+1+reach+margin
			if r.assigns {
				from, to = int(end-n)+1-maxName, int(end)+1+reach
			}
			had := windows[r]
			if len(had) > 0 && from <= had[len(had)-1].to {
				had[len(had)-1].to = max(had[len(had)-1].to, to)
				continue
			}
			windows[r] = append(had, window{from, to})
		}
		return true
	})
	for r, ws := range windows {
		windows[r] = wholeLines(text, ws)
	}
	return windows
}

// looksAt reports whether the rule applies to this file.
func (s *scanner) looksAt(r *rule) bool {
	if s.applies[r.index] == 0 {
		s.applies[r.index] = -1
		if r.appliesTo(s.path) {
			s.applies[r.index] = 1
		}
	}
	return s.applies[r.index] > 0
}

// wholeLines stretches windows to whole lines and joins those that touch.
func wholeLines(text string, windows []window) []window {
	out := windows[:0]
	for _, w := range windows {
		w.from, w.to = max(w.from, 0), min(w.to, len(text))
		if i := strings.LastIndexByte(text[max(0, w.from-maxLineReach):w.from], '\n'); i >= 0 {
			w.from = max(0, w.from-maxLineReach) + i + 1
		} else if w.from < maxLineReach {
			w.from = 0
		}
		if i := strings.IndexByte(text[w.to:min(len(text), w.to+maxLineReach)], '\n'); i >= 0 {
			w.to += i + 1
		}
		if n := len(out); n > 0 && w.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, w.to)
			continue
		}
		out = append(out, w)
	}
	return out
}

// match applies one rule to one window.
func (s *scanner) match(r *rule, b block, w window) []hit {
	pattern, _ := r.compiled()
	var found []hit
	to, cut := w.to, w.to < len(b.text)
	if b.text[to-1] == '\n' { // so that "$" in a rule is the end of the line
		to, cut = to-1, false
	}
	for _, m := range pattern.FindAllStringSubmatchIndex(b.text[w.from:to], maxMatches) {
		if cut && w.from+m[1] == to {
			continue // it may owe its end to where a very long line was cut
		}
		start, end := secretIn(m, r.group)
		start, end = trimNewlines(b.text, w.from+start, w.from+end)
		if start >= end {
			continue
		}
		secret := b.text[start:end]
		if r.entropy != 0 && entropy(secret) <= r.entropy {
			continue
		}
		from, until := trimNewlines(b.text, w.from+m[0], w.from+m[1])
		line, _ := b.span(from, until)
		if strings.Contains(line, allowMark) || s.allowed(r, secret, b.text[from:until], line) {
			continue
		}
		found = append(found, hit{r, start, end})
	}
	return found
}

func (s *scanner) allowed(r *rule, secret, match, line string) bool {
	allows := func(a *allowlist) bool { return a.allows(s.path, secret, match, line) }
	return slices.ContainsFunc(s.set.allow, allows) || slices.ContainsFunc(r.allow, allows)
}

// secretIn is the part of a match that is the secret: the rule's group, else
// the first group that took part and is not empty, else the whole.
func secretIn(m []int, group int) (start, end int) {
	if group > 0 && 2*group+1 < len(m) && m[2*group] >= 0 {
		return m[2*group], m[2*group+1]
	}
	for i := 2; i+1 < len(m); i += 2 {
		if m[i] >= 0 && m[i] < m[i+1] {
			return m[i], m[i+1]
		}
	}
	return m[0], m[1]
}

func trimNewlines(text string, start, end int) (int, int) {
	for start < end && (text[start] == '\n' || text[start] == '\r') {
		start++
	}
	for start < end && (text[end-1] == '\n' || text[end-1] == '\r') {
		end--
	}
	return start, end
}

// keepBest drops hits on text that a surer rule has hit, and sorts the rest by
// place.
func keepBest(hits []hit) []hit {
	slices.SortStableFunc(hits, func(a, b hit) int {
		if d := int(b.rule.severity) - int(a.rule.severity); d != 0 {
			return d
		}
		return (b.end - b.start) - (a.end - a.start)
	})
	var kept []hit // sorted by start, not overlapping
	for _, h := range hits {
		at := sort.Search(len(kept), func(i int) bool { return kept[i].end > h.start })
		if at < len(kept) && kept[at].start < h.end {
			continue
		}
		kept = slices.Insert(kept, at, h)
	}
	return kept
}

// appendLower appends text with ASCII letters in lower case, byte by byte, so
// that offsets stay what they are.
func appendLower(to []byte, text string) []byte {
	to = append(to, text...)
	for i, c := range to {
		if c >= 'A' && c <= 'Z' {
			to[i] = c + 'a' - 'A'
		}
	}
	return to
}
