package checkout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/internal/fault"
	"assay/review"
)

// MaxEntries is the most files that are listed of a side, as on GitHub
// (https://docs.github.com/rest/git/trees#get-a-tree).
const MaxEntries = 100_000

// List returns the files of a side in path order, submodules among them. Of the
// working tree these are the files that Read reads: their blobs have no SHA,
// since nobody has stored them.
func (c *contents) List(ctx context.Context, side review.Side) ([]review.Entry, error) {
	list := c.listTree
	if side == review.Head && c.trees[review.Head] == "" {
		list = c.listDisk
	}
	entries, err := list(ctx, side)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	slices.SortFunc(entries, func(a, b review.Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries, nil
}

func (c *contents) listTree(ctx context.Context, side review.Side) ([]review.Entry, error) {
	out, err := c.repo.git.output(ctx, "ls-tree", "-r", "-z", "--long", "--full-tree", c.trees[side])
	if err != nil {
		return nil, c.repo.hintPartial(err)
	}
	if strings.Count(out, "\x00") > c.repo.limits.entries {
		return nil, fault.New(fault.Invalid, review.ErrTooLarge)
	}
	var entries []review.Entry
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if line == "" {
			continue // the empty tree
		}
		entry, err := parseEntry(line)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// parseEntry reads a line of git's long format
// (https://git-scm.com/docs/git-ls-tree#_output_format):
//
//	100644 blob <object>    123<TAB>path
func parseEntry(line string) (review.Entry, error) {
	facts, path, ok := strings.Cut(line, "\t")
	fields := strings.Fields(facts)
	if !ok || len(fields) != 4 || path == "" {
		return review.Entry{}, fmt.Errorf("tree line %.200q is malformed", line)
	}
	entry := review.Entry{Path: path, Mode: fields[0], SHA: fields[2], Size: -1}
	if size, err := strconv.ParseInt(fields[3], 10, 64); err == nil {
		entry.Size = size
	}
	return entry, nil
}

// listDisk lists the working tree.
func (c *contents) listDisk(ctx context.Context, _ review.Side) ([]review.Entry, error) {
	if len(c.listed) > c.repo.limits.entries {
		return nil, fault.New(fault.Invalid, review.ErrTooLarge)
	}
	var entries []review.Entry
	for path := range c.listed {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entry, err := c.entry(ctx, path)
		if errors.Is(err, review.ErrNotExist) {
			continue // deleted, and that is not committed yet
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// entry is a file of the working tree. One that a sparse checkout leaves out is
// in the index alone, and is listed all the same.
func (c *contents) entry(ctx context.Context, path string) (review.Entry, error) {
	if !c.onDisk(review.Head, path) {
		size, err := c.size(ctx, review.Head, path)
		return review.Entry{Path: path, Size: size}, err
	}
	info, err := c.stat(path)
	switch {
	case err != nil:
		return review.Entry{}, err
	case info.IsDir():
		return review.Entry{Path: path, Mode: "160000", Size: -1}, nil
	}
	return review.Entry{Path: path, Mode: modeOf(info), Size: info.Size()}, nil
}
