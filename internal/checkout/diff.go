package checkout

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"assay/internal/diff"
	"assay/review"
)

// fileDiff is a changed file with what git alone knows of it.
type fileDiff struct {
	review.File
	// letter is git's status: A, C, D, M, R, T or U.
	letter         byte
	oldMode        string
	oldOID, newOID string
	// header is the line that the file's patch begins with.
	header string
	// patches counts the patches seen: a file that changed its type has two.
	patches int
}

// listing is what a diff says.
type listing struct {
	files     []fileDiff
	truncated string
}

func (l listing) reviewFiles() []review.File {
	files := make([]review.File, len(l.files))
	for i, f := range l.files {
		files[i] = f.File
	}
	slices.SortFunc(files, func(a, b review.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

// diffFlags ask for one list of the changed files, which has names, modes and
// objects beyond doubt, and one patch for each. Both commands are plumbing, and
// pay no heed to most of the user's settings; what is left is set here.
var diffFlags = []string{
	"--raw", "--no-abbrev", "--patch", "--full-index", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic",
	"--find-renames", "-l1000", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--no-relative",
	// Looking into submodules would start a git there, with its own settings.
	"--submodule=short", "--ignore-submodules=dirty",
}

// source is a diff that git can be asked for.
type source struct {
	git git
	// command is diff-index or diff-tree, operands are the trees.
	command, operands []string
	// extra are changed files that git is not asked about.
	extra     []fileDiff
	truncated string
	// worktree says that the head's side is on disk.
	worktree bool
}

// read asks for the diff, of the given paths only where there are any.
func (s source) read(ctx context.Context, l limits, flags, paths []string) (listing, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	args := slices.Concat(s.command, diffFlags, flags, s.operands, []string{"--"}, paths)
	cmd := s.git.command(running, args...)
	stderr := &tail{}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return listing{}, err
	}
	if err := cmd.Start(); err != nil {
		return listing{}, fmt.Errorf("start git: %w", err)
	}
	r := diffReader{in: bufio.NewReaderSize(out, 64<<10), limits: l, at: -1}
	readErr := r.read()
	if r.stopped || readErr != nil {
		stop() // the rest is not wanted
	}
	waitErr := cmd.Wait()
	switch {
	case r.stopped && readErr == nil: // stopped by us
	case waitErr != nil && readErr == nil, exitCode(waitErr) > 0:
		return listing{}, explain(ctx, waitErr, args[0], stderr)
	case readErr != nil:
		return listing{}, fmt.Errorf("read git's diff: %w", readErr)
	}
	return r.listing(), nil
}

// diffReader reads what --raw and --patch together give.
type diffReader struct {
	in     *bufio.Reader
	limits limits

	files   []fileDiff
	dropped int // files over the limit
	at      int // the file whose patch is being read; -1 for none
	skip    bool
	hunks   []byte
	over    bool
	kept    int
	stopped bool
	long    []byte // scratch for long lines
}

func (r *diffReader) read() error {
	for {
		line, err := r.line()
		switch {
		case errors.Is(err, io.EOF):
			return r.flush()
		case err != nil:
			return err
		}
		if err := r.take(line); err != nil || r.stopped {
			return err
		}
	}
}

// line returns the next line with its newline; of a line longer than a patch
// may be, as much as shows that it is. It is good until the next call.
func (r *diffReader) line() ([]byte, error) {
	part, err := r.in.ReadSlice('\n')
	if err == nil || err == io.EOF && len(part) > 0 {
		return part, nil
	}
	r.long = r.long[:0]
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(r.long) <= r.limits.patch {
			r.long = append(r.long, part...)
		}
		part, err = r.in.ReadSlice('\n')
	}
	if err == nil || err == io.EOF && len(r.long)+len(part) > 0 {
		return append(r.long, part...), nil
	}
	return nil, err
}

// take sorts a line. In a patch every line of content begins with a space,
// "+", "-" or "\", so none can be taken for a header; what begins otherwise is
// git's own ("* Unmerged path").
func (r *diffReader) take(line []byte) error {
	inHunks := len(r.hunks) > 0 || r.over
	switch {
	case line[0] == ':' && r.at < 0 && !r.skip:
		return r.takeRaw(strings.TrimSuffix(string(line), "\n"))
	case bytes.HasPrefix(line, []byte("diff --git ")):
		if err := r.flush(); err != nil {
			return err
		}
		return r.begin(strings.TrimSuffix(string(line), "\n"))
	case r.skip || r.at < 0:
		return nil
	case inHunks && strings.IndexByte(" +-\\@", line[0]) >= 0 || bytes.HasPrefix(line, []byte("@@ -")):
		r.keep(line)
	case bytes.HasPrefix(line, []byte("Binary files ")):
		r.files[r.at].Binary = true
	}
	return nil
}

func (r *diffReader) takeRaw(line string) error {
	f, err := parseRaw(line)
	if err != nil {
		return err
	}
	if n := len(r.files); n > 0 && r.files[n-1].Path == f.Path && r.files[n-1].letter == 'U' {
		// A merge conflict is listed twice: as such, and as the file that has it.
		r.files[n-1] = f
		return nil
	}
	if len(r.files) == r.limits.files {
		r.dropped++
		return nil
	}
	r.files = append(r.files, f)
	return nil
}

// begin finds the file that a patch is of. Patches come in the order of the
// list, so that a name made to look like another's header cannot take its place.
func (r *diffReader) begin(header string) error {
	r.skip = false
	start := max(r.at, 0)
	for i := start; i < len(r.files); i++ {
		f := &r.files[i]
		again := f.patches > 0 && (f.letter != 'T' || f.patches > 1)
		if f.header == header && !again {
			r.at = i
			f.patches++
			return nil
		}
	}
	if r.dropped == 0 {
		return fmt.Errorf("patch of a file that is not listed: %.200q", header)
	}
	r.skip = true
	return nil
}

func (r *diffReader) keep(line []byte) {
	switch {
	case r.over:
	case len(r.hunks)+len(line) > r.limits.patch:
		r.over, r.hunks = true, nil
	case r.kept+len(line) > r.limits.diff:
		r.stopped, r.hunks = true, nil
	default:
		r.hunks = append(r.hunks, line...)
		r.kept += len(line)
	}
}

// flush ends the patch that was being read.
func (r *diffReader) flush() error {
	if r.at < 0 || r.skip {
		return nil
	}
	f := &r.files[r.at]
	if r.over {
		f.unread("its diff is over %s", size(int64(r.limits.patch)))
	} else if len(r.hunks) > 0 {
		hunks, err := diff.ParsePatch(string(r.hunks))
		if err != nil {
			f.unread("its diff cannot be read: %v", err)
		} else {
			f.add(hunks)
		}
	}
	r.hunks, r.over = r.hunks[:0], false
	return nil
}

// listing returns the files, without those that git lists because their time
// on disk has changed and nothing else.
func (r *diffReader) listing() listing {
	var l listing
	for i, f := range r.files {
		switch {
		case r.stopped && (i >= r.at):
			f.unread("the whole diff is over %s", size(int64(r.limits.diff)))
		case f.patches == 0 && f.letter == 'M' && f.oldMode == f.Mode:
			continue
		case f.patches == 0:
			f.unread("git gave no diff of it")
		}
		l.files = append(l.files, f)
	}
	switch {
	case r.dropped > 0:
		l.truncated = fmt.Sprintf("the change has %d files, of which %d are listed", len(r.files)+r.dropped, len(r.files))
	case r.stopped:
		l.truncated = "the diff is over " + size(int64(r.limits.diff))
	}
	return l
}

// unread takes the hunks from the file and says why.
func (f *fileDiff) unread(format string, args ...any) {
	f.Hunks, f.Additions, f.Deletions, f.Binary = nil, 0, 0, false
	f.Unread = fmt.Sprintf(format, args...)
}

func (f *fileDiff) add(hunks []review.Hunk) {
	if f.Unread != "" {
		return
	}
	f.Hunks = append(f.Hunks, hunks...)
	for _, h := range hunks {
		for _, l := range h.Lines {
			switch l.Op {
			case review.Add:
				f.Additions++
			case review.Delete:
				f.Deletions++
			}
		}
	}
}

// size is a size in the unit that fits it.
func size(bytes int64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
