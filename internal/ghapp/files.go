package ghapp

import (
	"bytes"
	"cmp" //nolint:gosec // git's name of a blob, not a signature
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"assay/internal/diff"
	"assay/review"
)

const (
	// maxLooks bounds the files without a patch that are looked into.
	maxLooks = 100
	// sniffed is the number of bytes git looks at to tell binary from text.
	sniffed = 8000
)

// readFiles makes our files of GitHub's. Those that GitHub shows nothing of are
// looked into: they may be binary, empty, or only renamed, or the pull request
// may hide them behind a .gitattributes of its own.
func (r *Repository) readFiles(ctx context.Context, reads *contents, listed []*github.CommitFile) ([]review.File, error) {
	files := make([]review.File, len(listed))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	looks := 0
	for i, f := range listed {
		files[i] = fileOf(f)
		if !keptBack(f) {
			continue
		}
		if files[i].Binary = binaryName(f.GetFilename()); files[i].Binary {
			continue
		}
		if looks++; looks > maxLooks {
			files[i].Unread = "GitHub sent no patch of this and many other files"
			continue
		}
		group.Go(func() error { return r.look(ctx, reads, f.GetSHA(), &files[i]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return files, nil
}

func fileOf(c *github.CommitFile) review.File {
	f := review.File{
		Path:      c.GetFilename(),
		OldPath:   c.GetPreviousFilename(),
		Status:    statusOf(c.GetStatus()),
		Additions: c.GetAdditions(),
		Deletions: c.GetDeletions(),
	}
	if c.GetPatch() == "" {
		if c.GetChanges() > 0 {
			f.Unread = "GitHub sent no patch: the file's diff is too large"
		}
		return f
	}
	hunks, err := diff.ParsePatch(c.GetPatch())
	if err != nil {
		f.Unread = "GitHub's patch cannot be read: " + err.Error()
		return f
	}
	f.Hunks = hunks
	if a, d := count(hunks); a != f.Additions || d != f.Deletions {
		f.Unread = fmt.Sprintf("GitHub's patch is cut off: it has %d of %d changed lines", a+d, f.Additions+f.Deletions)
	}
	return f
}

func count(hunks []review.Hunk) (additions, deletions int) {
	for _, h := range hunks {
		for _, l := range h.Lines {
			switch l.Op {
			case review.Add:
				additions++
			case review.Delete:
				deletions++
			}
		}
	}
	return additions, deletions
}

func statusOf(status string) review.FileStatus {
	switch s := review.FileStatus(status); s {
	case review.Added, review.Removed, review.Renamed, review.Copied:
		return s
	}
	return review.Modified // "modified", "changed" and "unchanged"
}

// look finds out about a file that GitHub shows nothing of: sha is the name of
// its blob at the head (at the base, when the file is removed).
func (r *Repository) look(ctx context.Context, reads *contents, sha string, f *review.File) error {
	side := review.Head
	switch f.Status {
	case review.Removed:
		side = review.Base
	case review.Modified, review.Renamed, review.Copied:
		same, err := r.sameBlob(ctx, reads, cmp.Or(f.OldPath, f.Path), sha)
		if err != nil || same {
			return err
		}
	}
	ref, err := reads.ref(ctx, side)
	if err != nil {
		return err
	}
	start, err := r.start(ctx, ref, f.Path)
	switch {
	case errors.Is(err, review.ErrNotExist):
		f.Unread = "GitHub sent no patch, and it is no plain file"
	case errors.Is(err, review.ErrTooLarge):
		f.Unread = "GitHub sent no patch, and the file is too large"
	case err != nil:
		return err
	case bytes.IndexByte(start, 0) >= 0:
		f.Binary = true
	case len(start) > 0 || f.Status == review.Modified:
		f.Unread = "GitHub sent no patch, though the file is text"
	}
	return nil
}

// sameBlob reports whether the file at the base is the blob named sha: then
// only its name or mode changed.
func (r *Repository) sameBlob(ctx context.Context, reads *contents, path, sha string) (bool, error) {
	data, err := reads.Read(ctx, review.Base, path)
	if settled(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return blobName(data, len(sha)) == sha, nil
}

// blobName is the name git gives to data, in as many hexadecimal digits as the
// repository's names have.
func blobName(data []byte, digits int) string {
	h := sha1.New() //nolint:gosec // see the import
	if digits == 2*sha256.Size {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// start reads the beginning of a file, however large it is.
func (r *Repository) start(ctx context.Context, ref, path string) ([]byte, error) {
	from, err := r.contentsPath(ref, path)
	if err != nil {
		return nil, err
	}
	var data []byte
	_, err = r.get(ctx, from, mediaRaw, "", func(resp *github.Response) (err error) {
		if err = checkRaw(resp); err == nil {
			data, err = io.ReadAll(io.LimitReader(resp.Body, sniffed))
		}
		return err
	})
	return data, noFile(err)
}

// binaryName knows names that need no look, which pull requests with many
// pictures would make costly.
func binaryName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".avif", ".bmp",
		".pdf", ".zip", ".gz", ".tgz", ".xz", ".zst", ".7z", ".jar", ".war",
		".woff", ".woff2", ".ttf", ".otf", ".eot",
		".mp3", ".mp4", ".webm", ".ogg", ".wav", ".mov",
		".exe", ".dll", ".so", ".dylib", ".class", ".pyc", ".wasm":
		return true
	}
	return false
}
