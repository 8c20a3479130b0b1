package review

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Repo names a repository on GitHub. A local checkout has no ID.
type Repo struct {
	ID            int64  `json:"id,omitempty"`
	Owner         string `json:"owner"`
	Name          string `json:"name"`
	DefaultBranch string `json:"default_branch,omitempty"`
	Private       bool   `json:"private,omitempty"`
}

func (r Repo) String() string { return r.Owner + "/" + r.Name }

// Actor is a user, bot or app on GitHub.
type Actor struct {
	Login string `json:"login"`
	Bot   bool   `json:"bot,omitempty"`
}

// Pull is what is known of a pull request at one head. With the number 0 it is
// no pull request but commits of a branch, as a push, a merge group or a
// schedule are about: HeadRef is the branch, BaseSHA what was there before,
// empty where the repository as a whole is looked at.
type Pull struct {
	Number  int      `json:"number"`
	Title   string   `json:"title"`
	Body    string   `json:"body,omitempty"`
	Author  Actor    `json:"author"`
	Draft   bool     `json:"draft,omitempty"`
	Closed  bool     `json:"closed,omitempty"`
	Labels  []string `json:"labels,omitempty"`
	BaseRef string   `json:"base_ref"`
	BaseSHA string   `json:"base_sha"`
	HeadRef string   `json:"head_ref"`
	HeadSHA string   `json:"head_sha"`
	// Fork says that the head lives in another repository.
	Fork bool `json:"fork,omitempty"`
}

// Change is a pull request (or a local diff) under review at one head SHA.
// It is read-only and safe for concurrent use by agents.
type Change struct {
	Repo Repo
	Pull Pull
	// Files are the changed files in path order.
	Files []File
	// Truncated says why Files is not the whole change; empty when it is whole.
	Truncated string
	// Contents reads whole files lazily; never nil.
	Contents Contents
	// Tree lists the files at the head; nil where they cannot be listed.
	Tree Tree
	// Host tells what GitHub knows beyond the files; nil for a local change.
	Host Host
	// Archive hands out whole checkouts; nil where there are none.
	Archive Archive
	// Issue is the issue that the run is about; nil for all else.
	Issue *Issue
}

// Side is a side of the diff.
type Side int8

// The two sides: Base is before, Head is after the change.
const (
	Base Side = iota
	Head
)

// Contents reads files of a change. Reads are cached by the implementation and
// safe for concurrent use.
type Contents interface {
	// Read returns the whole file. It returns ErrNotExist when the side has no
	// such file and ErrTooLarge when it is over the implementation's limit.
	Read(ctx context.Context, side Side, path string) ([]byte, error)
}

// Tree lists the files of a change. It is safe for concurrent use.
type Tree interface {
	// List returns the files in path order. It returns ErrTooLarge when there
	// are more than the implementation lists.
	List(ctx context.Context, side Side) ([]Entry, error)
}

// Archive hands out all files of a side of a change. It is safe for concurrent
// use.
type Archive interface {
	// Open returns a gzipped tar archive, in which one directory holds all; the
	// caller closes it. What is too large ends in ErrTooLarge, at once or when it
	// is read.
	Open(ctx context.Context, side Side) (io.ReadCloser, error)
}

// Entry is one file of a tree.
type Entry struct {
	Path string
	// Mode is git's file mode, as File.Mode.
	Mode string
	// SHA is the ID of the blob.
	SHA string
	// Size is in bytes; -1 where it is not known.
	Size int64
}

// ErrHeadMoved says that a pull request was pushed to while its change was read:
// what was read is not the change at the head asked for.
var ErrHeadMoved = errors.New("the pull request's head moved")

// Errors of Contents.Read.
var (
	ErrNotExist = errors.New("no such file")
	ErrTooLarge = errors.New("file too large")
)

// FileStatus says what happened to a file, in GitHub's words.
type FileStatus string

// The statuses.
const (
	Added    FileStatus = "added"
	Modified FileStatus = "modified"
	Removed  FileStatus = "removed"
	Renamed  FileStatus = "renamed"
	Copied   FileStatus = "copied"
)

// File is one changed file.
type File struct {
	// Path is the path at the head (for a removed file, at the base).
	Path string `json:"path"`
	// OldPath is the path at the base where it differs from Path.
	OldPath   string     `json:"old_path,omitempty"`
	Status    FileStatus `json:"status"`
	Additions int        `json:"additions"`
	Deletions int        `json:"deletions"`
	// Mode is git's file mode at the head ("100644", "100755", "120000" for a
	// symbolic link, "160000" for a submodule); empty when not known.
	Mode string `json:"mode,omitempty"`
	// Binary says that the file has no text to show.
	Binary bool `json:"binary,omitempty"`
	// Unread says why Hunks is not the whole change of this file ("GitHub sent
	// no patch"); empty when it is whole. A missing patch is not an unchanged
	// file.
	Unread string `json:"unread,omitempty"`
	Hunks  []Hunk `json:"hunks,omitempty"`
}

// Hunk is one hunk of a file's diff.
type Hunk struct {
	OldStart int    `json:"old_start"`
	OldLines int    `json:"old_lines"`
	NewStart int    `json:"new_start"`
	NewLines int    `json:"new_lines"`
	Section  string `json:"section,omitempty"`
	Lines    []Line `json:"lines"`
}

// LineOp says what happened to a line.
type LineOp byte

// The operations, as in a unified diff.
const (
	Context LineOp = ' '
	Add     LineOp = '+'
	Delete  LineOp = '-'
)

// Line is one line of a hunk, without its line end.
type Line struct {
	Op LineOp `json:"op"`
	// Old and New are the 1-based line numbers on either side; 0 where the
	// line does not exist on that side.
	Old  int    `json:"old,omitempty"`
	New  int    `json:"new,omitempty"`
	Text string `json:"text"`
}

// Added yields the lines that the change adds to the file, in order.
func (f File) Added() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for _, h := range f.Hunks {
			for _, l := range h.Lines {
				if l.Op == Add && !yield(l) {
					return
				}
			}
		}
	}
}

// AddedBlocks yields runs of added lines that stand next to each other at the
// head, each in order and never empty.
func (f File) AddedBlocks() iter.Seq[[]Line] {
	return func(yield func([]Line) bool) {
		var block []Line
		for l := range f.Added() {
			if len(block) > 0 && l.New != block[len(block)-1].New+1 {
				if !yield(block) {
					return
				}
				block = nil
			}
			block = append(block, l)
		}
		if len(block) > 0 {
			yield(block)
		}
	}
}

// Adds reports whether any of the head's lines start to end (1-based,
// inclusive) is added by the change.
func (f File) Adds(start, end int) bool {
	for l := range f.Added() {
		if l.New >= start && l.New <= end {
			return true
		}
	}
	return false
}

// InDiff reports whether the head's lines start to end all stand in one hunk,
// which is where GitHub takes review comments.
func (f File) InDiff(start, end int) bool {
	for _, h := range f.Hunks {
		if start >= h.NewStart && end < h.NewStart+h.NewLines {
			return start <= end
		}
	}
	return false
}

// File returns the changed file at the head's path.
func (c *Change) File(path string) (File, bool) {
	for _, f := range c.Files {
		if f.Path == path {
			return f, true
		}
	}
	return File{}, false
}

// Size is the number of lines added and deleted.
func (c *Change) Size() (additions, deletions int) {
	for _, f := range c.Files {
		additions += f.Additions
		deletions += f.Deletions
	}
	return additions, deletions
}
