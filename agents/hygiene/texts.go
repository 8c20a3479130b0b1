package hygiene

import (
	"context"
	"errors"
	"fmt"

	"assay/agents"
	"assay/review"
)

const (
	// maxTexts is how many files are fetched whole, on either side; each may be a
	// request.
	maxTexts = 300
	// maxText is the largest file that is parsed, in bytes.
	maxText = 1 << 20
)

// texts fetches whole files. It is for one run.
type texts struct {
	contents review.Contents
	reads    int
}

// head is the file at the head; gap says why it is not known.
func (t *texts) head(ctx context.Context, f review.File) (text, gap string) {
	text, ok := agents.WholeText(f)
	if !ok {
		text, gap = t.read(ctx, review.Head, f.Path)
	}
	if len(text) > maxText {
		return "", fmt.Sprintf("not parsed: larger than %d MiB", maxText>>20)
	}
	return text, gap
}

// base is the file at the base; known is false where it could not be read. A
// file that was not there is known, and empty.
func (t *texts) base(ctx context.Context, f review.File) (text string, known bool) {
	if f.Status == review.Added {
		return "", true
	}
	p := f.Path
	if f.OldPath != "" {
		p = f.OldPath
	}
	text, gap := t.read(ctx, review.Base, p)
	return text, gap == "" && len(text) <= maxText
}

func (t *texts) read(ctx context.Context, side review.Side, p string) (text, gap string) {
	if t.contents == nil {
		return "", "not parsed: its contents could not be read"
	}
	if t.reads++; t.reads > maxTexts {
		return "", fmt.Sprintf("not parsed: only the first %d files were read whole", maxTexts/2)
	}
	data, err := t.contents.Read(ctx, side, p)
	switch {
	case errors.Is(err, review.ErrTooLarge):
		return "", "not parsed: too large to be read"
	case errors.Is(err, review.ErrNotExist) && side == review.Base:
		return "", ""
	case err != nil:
		return "", "not parsed: its contents could not be read"
	}
	return string(data), ""
}
