package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assay/review"
)

// sourceOf prepares the diff of a comparison. The caller calls done when it
// needs the source no longer.
func (r *Repo) sourceOf(ctx context.Context, cmp comparison, c *contents) (s source, done func(), err error) {
	if !cmp.worktree {
		return source{git: r.git, command: []string{"diff-tree", "-r"}, operands: []string{cmp.baseTree, cmp.headTree}}, func() {}, nil
	}
	// Untracked files are compared by way of an index of our own, which lists
	// them with those that are tracked: so renames are found, and the
	// repository's index is not written to.
	dir, err := os.MkdirTemp("", "assay-index-")
	if err != nil {
		return source{}, nil, fmt.Errorf("copy index: %w", err)
	}
	done = func() { _ = os.RemoveAll(dir) } // a leftover in the temporary directory harms nobody
	defer func() {
		if err != nil {
			done()
		}
	}()
	index := filepath.Join(dir, "index")
	if err := copyIndex(r.index, index); err != nil {
		return source{}, nil, fmt.Errorf("copy index: %w", err)
	}
	s = source{git: r.git.with("GIT_INDEX_FILE=" + index), command: []string{"diff-index"}, operands: []string{cmp.baseTree}, worktree: true}
	untracked, err := r.listTracked(ctx, s.git, c)
	if err != nil {
		return source{}, nil, err
	}
	return s, done, r.addUntracked(ctx, &s, untracked)
}

// copyIndex copies the index with its time, by which git tells which of its
// entries it cannot trust to be unchanged.
func copyIndex(from, to string) (err error) {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever added
	}
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// listTracked tells c which files are git's business, and returns those that
// are not yet but could be: ignored files are neither, so that no agent reads
// the keys that people keep in them.
func (r *Repo) listTracked(ctx context.Context, g git, c *contents) (untracked []string, err error) {
	out, err := g.output(ctx, "ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(out, "\x00") {
		if len(entry) < 3 {
			continue
		}
		tag, path := entry[0], entry[2:]
		if strings.HasSuffix(path, "/") {
			continue // another repository inside this one
		}
		c.listed[path] = tag
		if tag == '?' {
			untracked = append(untracked, path)
		}
	}
	return untracked, nil
}

// addUntracked adds files to the source's index, as empty ones of which git
// will find that they have changed.
func (r *Repo) addUntracked(ctx context.Context, s *source, paths []string) error {
	if n := len(paths); n > r.limits.files {
		s.truncated = fmt.Sprintf("there are %d untracked files, of which %d are listed (does .gitignore miss a directory?)", n, r.limits.files)
		paths = paths[:r.limits.files]
	}
	empty, err := r.line(ctx, "hash-object", "-t", "blob", "--stdin")
	if err != nil {
		return err
	}
	var entries bytes.Buffer
	for _, path := range paths {
		info, err := r.root.Lstat(filepath.FromSlash(path))
		if err != nil {
			continue // gone since it was listed
		}
		mode := modeOf(info)
		if info.Mode().IsRegular() && info.Size() > int64(r.limits.file) {
			f := fileDiff{letter: 'A', File: review.File{Path: path, Status: review.Added, Mode: mode}}
			f.unread("it has %s, and files over %s are not compared", size(info.Size()), size(int64(r.limits.file)))
			s.extra = append(s.extra, f)
			continue
		}
		fmt.Fprintf(&entries, "%s %s\t%s\x00", mode, empty, path)
	}
	if entries.Len() == 0 {
		return nil
	}
	_, err = s.git.pipe(ctx, &entries, "update-index", "-z", "--index-info")
	return err
}

// modeOf is git's mode for a file on disk.
func modeOf(info fs.FileInfo) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "120000"
	case info.Mode()&0o100 != 0:
		return "100755"
	}
	return "100644"
}
