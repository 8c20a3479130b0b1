package reviewer

import (
	"context"
	"errors"
	"strings"
	"sync"

	"assay/review"
)

// maxReads bounds the files that one run reads at the head.
const maxReads = 400

// maxShownLine bounds a line as it is shown, in bytes. Longer ones are data or
// were made by a program.
const maxShownLine = 600

var errReads = errors.New("too many files were read in this review already")

// text is a file as it is, and as models are shown it. Both have the same
// lines.
type text struct {
	raw, shown []string
	// hidden are the lines, from 0, of which something is not shown that is
	// neither a secret nor invisible.
	hidden map[int]bool
}

// source shows the head of a change, fit for models: without secrets, without
// hidden text, without words that are meant for them. It is safe for concurrent
// use.
type source struct {
	change *review.Change
	scan   func(string) string

	mu    sync.Mutex
	heads map[string]*head
	// masked are the short texts that were masked: names and messages come
	// again and again.
	masked map[string]string
}

// head is a file that was read, or is being read.
type head struct {
	ready chan struct{}
	text  *text
	err   error
}

func newSource(change *review.Change, mask func(string) string) *source {
	return &source{change: change, scan: mask, heads: make(map[string]*head), masked: make(map[string]string)}
}

// maxShort bounds a text that is masked once, in bytes.
const maxShort = 500

// mask takes the secrets out of a text.
func (s *source) mask(text string) string {
	if len(text) > maxShort {
		return s.scan(text)
	}
	s.mu.Lock()
	masked, ok := s.masked[text]
	s.mu.Unlock()
	if ok {
		return masked
	}
	masked = s.scan(text)
	s.mu.Lock()
	s.masked[text] = masked
	s.mu.Unlock()
	return masked
}

// head reads a file at the head, once.
func (s *source) head(ctx context.Context, path string) (*text, error) {
	s.mu.Lock()
	h, known := s.heads[path]
	if !known {
		if len(s.heads) >= maxReads {
			s.mu.Unlock()
			return nil, errReads
		}
		h = &head{ready: make(chan struct{})}
		s.heads[path] = h
	}
	s.mu.Unlock()
	if known {
		select {
		case <-h.ready:
			return h.text, h.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer close(h.ready)
	content, err := s.change.Contents.Read(ctx, review.Head, path)
	switch {
	case err != nil:
		h.err = err
	case isBinary(content):
		h.err = errBinary
	default:
		h.text = s.text(string(content))
	}
	return h.text, h.err
}

var errBinary = errors.New("the file is binary")

func isBinary(content []byte) bool {
	return strings.IndexByte(string(content[:min(len(content), 8000)]), 0) >= 0
}

// text is what is shown of a text.
func (s *source) text(raw string) *text {
	raw = strings.TrimSuffix(raw, "\n")
	t := &text{raw: strings.Split(raw, "\n"), hidden: make(map[int]bool)}
	for i, line := range t.raw {
		t.raw[i] = strings.TrimSuffix(line, "\r")
	}
	masked := strings.Split(s.mask(strings.Join(t.raw, "\n")), "\n")
	if len(masked) != len(t.raw) { // a mask that took a line's end with it
		masked = make([]string, len(t.raw))
		for i, line := range t.raw {
			masked[i] = strings.Join(strings.Fields(s.mask(line)), " ")
		}
	}
	t.shown = masked
	for i, line := range masked {
		var hidden bool
		if t.shown[i], hidden = show(line); hidden {
			t.hidden[i] = true
		}
	}
	return t
}

// show is a line without its secrets as it is shown, and whether something of
// it is kept back.
func show(line string) (shown string, hidden bool) {
	shown, hidden = withhold(visible(line))
	if len(shown) > maxShownLine {
		return strings.ToValidUTF8(shown[:maxShownLine], "") + " [long line cut]", true
	}
	return shown, hidden
}

// words is a text of the pull request's author as it is shown, on one line or
// many, at most so many bytes.
func (s *source) words(raw string, most int) string {
	raw = plainly(raw)
	if len(raw) > most {
		raw = strings.ToValidUTF8(raw[:most], "") + " [cut]"
	}
	return strings.TrimSpace(strings.Join(s.text(raw).shown, "\n"))
}

// path is a path as it is shown. It is the same path, or one that no tool and
// no finding will be taken for.
func (s *source) path(p string) string {
	shown, _ := withhold(visible(strings.ReplaceAll(s.mask(p), "\n", " ")))
	return shown
}

// page is the changed part of a file as it is shown.
type page struct {
	file review.File
	head *text // nil where the head could not be read
	// lines are the shown lines of the hunks by their numbers at the head, raw
	// the same as they are.
	lines, raw map[int]string
	// hidden are those of lines of which something is kept back.
	hidden map[int]bool
	// gone are the shown removed lines, by their numbers at the base.
	gone map[int]string
}

// page reads a changed file. Where its head cannot be read there are the hunks.
func (s *source) page(ctx context.Context, f review.File) (*page, error) {
	p := &page{file: f, lines: make(map[int]string), raw: make(map[int]string), hidden: make(map[int]bool), gone: make(map[int]string)}
	var err error
	if p.head, err = s.head(ctx, f.Path); err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, h := range f.Hunks {
		p.take(s, h, review.Delete, p.gone, nil)
		if !p.fromHead(h) {
			p.take(s, h, review.Add, p.lines, p.hidden)
		}
	}
	return p, nil
}

// fromHead shows a hunk as the whole file has it: whether a text is a secret
// may hang on what stands around it. It is false where the file is not the
// hunk's.
func (p *page) fromHead(h review.Hunk) bool {
	for _, l := range h.Lines {
		if l.Op == review.Delete {
			continue
		}
		p.raw[l.New] = strings.TrimSuffix(l.Text, "\r")
	}
	for _, l := range h.Lines {
		if l.Op == review.Delete {
			continue
		}
		i := l.New - 1
		if p.head == nil || i < 0 || i >= len(p.head.raw) || p.head.raw[i] != p.raw[l.New] {
			return false
		}
		p.lines[l.New], p.hidden[l.New] = p.head.shown[i], p.head.hidden[i]
	}
	return true
}

// take shows one side of a hunk: what was removed, or what is there now. hidden,
// where not nil, is told of the lines of which something is kept back.
func (p *page) take(s *source, h review.Hunk, op review.LineOp, into map[int]string, hidden map[int]bool) {
	var numbers []int
	var lines []string
	for _, l := range h.Lines {
		switch {
		case op == review.Delete && l.Op == review.Delete:
			numbers = append(numbers, l.Old)
		case op != review.Delete && l.Op != review.Delete:
			numbers = append(numbers, l.New)
		default:
			continue
		}
		lines = append(lines, l.Text)
	}
	if len(lines) == 0 {
		return
	}
	t := s.text(strings.Join(lines, "\n") + "\n")
	for i, shown := range t.shown {
		into[numbers[i]] = shown
		if hidden != nil && t.hidden[i] {
			hidden[numbers[i]] = true
		}
	}
}
