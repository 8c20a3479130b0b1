package checkout

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"assay/review"
)

// maxHidden bounds the paths that go on one command line, in bytes.
const maxHidden = 32 << 10

// settle looks again at the files of which git's diff does not tell the whole
// truth, because the change itself can say in .gitattributes what is shown:
//
//   - text that is declared binary is compared as text after all;
//   - a file too large to be compared is called binary by git, and unread here;
//   - a file that a filter rewrites cannot be compared without running it.
func (r *Repo) settle(ctx context.Context, s source, c *contents, l *listing) error {
	attributes, err := r.attributes(ctx, s, l.files)
	if err != nil {
		return err
	}
	var hidden []*fileDiff
	for i := range l.files {
		f := &l.files[i]
		attr := attributes[f.Path]
		switch {
		case attr.filter != "" && s.worktree && f.Status != review.Removed:
			f.unread("its filter %q is not run, so that it cannot be compared", attr.filter)
		case !f.Binary:
		default:
			text, err := r.inspect(ctx, c, f, attr.diff)
			if err != nil {
				return err
			}
			if text {
				hidden = append(hidden, f)
			}
		}
	}
	return r.uncover(ctx, s, hidden)
}

// attribute is what .gitattributes says of a file.
type attribute struct{ diff, filter string }

// attributes asks for the attributes of the files where they matter.
func (r *Repo) attributes(ctx context.Context, s source, files []fileDiff) (map[string]attribute, error) {
	filters := r.config.sections("filter")
	var input bytes.Buffer
	for _, f := range files {
		if f.Binary || s.worktree && len(filters) > 0 {
			input.WriteString(f.Path + "\x00")
		}
	}
	if input.Len() == 0 {
		return nil, nil
	}
	out, err := s.git.pipe(ctx, &input, "check-attr", "-z", "--stdin", "diff", "filter")
	if err != nil {
		return nil, err
	}
	found := make(map[string]attribute)
	for triple := range slices.Chunk(strings.Split(strings.TrimSuffix(out, "\x00"), "\x00"), 3) {
		if len(triple) < 3 {
			return nil, errors.New("git check-attr answered in part")
		}
		a := found[triple[0]]
		switch value := triple[2]; {
		case triple[1] == "diff" && value != "unspecified":
			a.diff = value
		case triple[1] == "filter" && slices.Contains(filters, value):
			a.filter = value
		}
		found[triple[0]] = a
	}
	return found, nil
}

// inspect looks at a file that git calls binary. It returns true when only an
// attribute makes it so.
func (r *Repo) inspect(ctx context.Context, c *contents, f *fileDiff, declared string) (text bool, err error) {
	sides := []struct {
		side review.Side
		path string
		none bool
	}{
		{review.Base, f.oldName(), f.Status == review.Added},
		{review.Head, f.Path, f.Status == review.Removed},
	}
	for _, s := range sides {
		if s.none {
			continue
		}
		length, err := c.size(ctx, s.side, s.path)
		if errors.Is(err, review.ErrNotExist) {
			return false, nil // gone since it was listed
		}
		if err != nil {
			return false, err
		}
		if length > int64(r.limits.file) {
			f.unread("it has %s, and files over %s are not compared", size(length), size(int64(r.limits.file)))
			return false, nil
		}
	}
	if declared == "" {
		return false, nil
	}
	for _, s := range sides {
		if s.none {
			continue
		}
		data, err := c.load(ctx, s.side, s.path, r.limits.file)
		if err != nil || looksBinary(data) {
			return false, err
		}
	}
	return true, nil
}

func (f *fileDiff) oldName() string {
	if f.OldPath != "" {
		return f.OldPath
	}
	return f.Path
}

// looksBinary is git's own rule where no attribute says otherwise.
func looksBinary(data []byte) bool {
	const first = 8000
	return bytes.IndexByte(data[:min(len(data), first)], 0) >= 0
}

// uncover compares files as text that attributes declare binary.
func (r *Repo) uncover(ctx context.Context, s source, hidden []*fileDiff) error {
	var (
		paths []string
		total int
		asked = make(map[string]*fileDiff)
	)
	for _, f := range hidden {
		if total += len(f.Path) + len(f.OldPath); total > maxHidden {
			f.unread("hidden from diffs by .gitattributes")
			continue
		}
		paths = append(paths, f.Path)
		if f.OldPath != "" {
			paths = append(paths, f.OldPath)
		}
		asked[f.Path] = f
	}
	if len(paths) == 0 {
		return nil
	}
	l, err := s.read(ctx, r.limits, []string{"--text"}, paths)
	if err != nil {
		return err
	}
	for _, f := range l.files {
		if into := asked[f.Path]; into != nil && into.OldPath == f.OldPath {
			*into = f
			delete(asked, f.Path)
		}
	}
	for _, f := range asked {
		f.unread("hidden from diffs by .gitattributes")
	}
	return nil
}
