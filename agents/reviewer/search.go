package reviewer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"assay/agents"
	"assay/review"
)

// Bounds of one search.
const (
	maxSearched   = 60        // files
	maxSearchSize = 256 << 10 // bytes of one file
	maxSearchSum  = 2 << 20   // bytes of all
	maxHits       = 60
	maxPattern    = 200 // bytes
	maxGlob       = 200
	maxStars      = 8
)

func validGlob(glob string) bool { return doublestar.ValidatePattern(glob) }

// search looks for a pattern in the files that the glob matches, those next to
// the changed ones first.
func (t *tools) search(ctx context.Context, args arguments) (string, error) {
	if args.Pattern == "" || len(args.Pattern) > maxPattern {
		return "", fmt.Errorf("the pattern has to be from 1 to %d bytes long", maxPattern)
	}
	pattern, err := regexp.Compile(args.Pattern)
	if err != nil {
		return "", errors.New("the pattern is no regular expression of RE2's")
	}
	entries, err := t.entries(ctx, args.Glob)
	if err != nil {
		return "", err
	}
	entries = t.nearest(entries)
	var b strings.Builder
	hits, files, size := 0, 0, int64(0)
	for _, e := range entries {
		if files == maxSearched || size > maxSearchSum || hits >= maxHits {
			break
		}
		head, err := t.source.head(ctx, e.Path)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if errors.Is(err, errReads) {
			break
		}
		files, size = files+1, size+max(e.Size, 0)
		if err != nil {
			continue
		}
		for i, line := range head.shown {
			if hits < maxHits && pattern.MatchString(line) {
				hits++
				fmt.Fprintf(&b, "%s:%d: %s\n", t.source.path(e.Path), i+1, strings.TrimSpace(line))
			}
		}
	}
	if hits == 0 {
		b.WriteString("no line matches\n")
	}
	fmt.Fprintf(&b, "%d of %d files were searched\n", files, len(entries))
	return b.String(), nil
}

// nearest are the files that can be searched, in the order of the search.
func (t *tools) nearest(entries []review.Entry) []review.Entry {
	changed := make(map[string]bool)
	for _, f := range t.source.change.Files {
		changed[path.Dir(f.Path)] = true
	}
	near := func(e review.Entry) int {
		if changed[path.Dir(e.Path)] {
			return 0
		}
		return 1
	}
	entries = slices.DeleteFunc(slices.Clone(entries), func(e review.Entry) bool {
		return e.Size > maxSearchSize || agents.GeneratedPath(e.Path) || e.Mode == "120000" || e.Mode == "160000"
	})
	slices.SortStableFunc(entries, func(a, b review.Entry) int {
		return cmp.Or(near(a)-near(b), cmp.Compare(a.Path, b.Path))
	})
	return entries
}
