// Package diff reads unified diffs, as git and GitHub write them, into the
// files and hunks of package review. Where diffs come from and what is made of
// them it leaves to others.
package diff

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"assay/review"
)

// MaxPatch is the largest diff of one file that is read, in bytes. A larger one
// is reported as unread, never as unchanged.
const MaxPatch = 8 << 20

// Parse reads a git diff of any number of files.
func Parse(r io.Reader) ([]review.File, error) {
	parsed, _, err := gitdiff.Parse(r)
	if err != nil {
		return nil, fmt.Errorf("parse diff: %w", err)
	}
	files := make([]review.File, 0, len(parsed))
	for _, p := range parsed {
		files = append(files, fileOf(p))
	}
	return files, nil
}

// ParsePatch reads the hunks of one file, as GitHub's API gives them in the
// field "patch": hunks only, without a file header.
func ParsePatch(patch string) ([]review.Hunk, error) {
	if patch == "" {
		return nil, nil
	}
	if len(patch) > MaxPatch {
		return nil, fmt.Errorf("patch of %d bytes is over the limit of %d", len(patch), MaxPatch)
	}
	if !strings.HasPrefix(patch, "@@") {
		return nil, errors.New("patch does not begin with a hunk header (@@)")
	}
	if !strings.HasSuffix(patch, "\n") {
		patch += "\n"
	}
	parsed, _, err := gitdiff.Parse(strings.NewReader("diff --git a/f b/f\n--- a/f\n+++ b/f\n" + patch))
	if err != nil {
		return nil, fmt.Errorf("parse patch: %w", err)
	}
	if len(parsed) != 1 {
		return nil, fmt.Errorf("patch holds %d files, want 1", len(parsed))
	}
	return hunksOf(parsed[0].TextFragments), nil
}

func fileOf(p *gitdiff.File) review.File {
	f := review.File{Path: p.NewName, Status: review.Modified, Binary: p.IsBinary, Hunks: hunksOf(p.TextFragments)}
	switch {
	case p.IsNew:
		f.Status = review.Added
	case p.IsDelete:
		f.Status, f.Path = review.Removed, p.OldName
	case p.IsRename:
		f.Status = review.Renamed
	case p.IsCopy:
		f.Status = review.Copied
	}
	if p.OldName != "" && p.OldName != f.Path {
		f.OldPath = p.OldName
	}
	mode := p.NewMode
	if mode == 0 {
		mode = p.OldMode
	}
	if mode != 0 {
		f.Mode = fmt.Sprintf("%06o", uint32(mode))
	}
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			switch l.Op {
			case review.Add:
				f.Additions++
			case review.Delete:
				f.Deletions++
			}
		}
	}
	return f
}

func hunksOf(fragments []*gitdiff.TextFragment) []review.Hunk {
	if len(fragments) == 0 {
		return nil
	}
	hunks := make([]review.Hunk, 0, len(fragments))
	for _, t := range fragments {
		h := review.Hunk{
			OldStart: int(t.OldPosition), OldLines: int(t.OldLines),
			NewStart: int(t.NewPosition), NewLines: int(t.NewLines),
			Section: t.Comment,
			Lines:   make([]review.Line, 0, len(t.Lines)),
		}
		old, now := h.OldStart, h.NewStart
		for _, l := range t.Lines {
			line := review.Line{Op: review.Context, Text: strings.TrimSuffix(l.Line, "\n")}
			if l.Op != gitdiff.OpAdd {
				line.Old = old
				old++
			}
			if l.Op != gitdiff.OpDelete {
				line.New = now
				now++
			}
			switch l.Op {
			case gitdiff.OpAdd:
				line.Op = review.Add
			case gitdiff.OpDelete:
				line.Op = review.Delete
			}
			h.Lines = append(h.Lines, line)
		}
		hunks = append(hunks, h)
	}
	return hunks
}
