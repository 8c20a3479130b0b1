package ghapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

const (
	// maxFile is the largest file that is read whole, in bytes.
	maxFile = 1 << 20
	// readers is the number of files of one change read at a time; GitHub
	// allows 100 concurrent requests of the whole app.
	readers = 8
	// mediaRaw asks for a file's bytes
	// (https://docs.github.com/rest/repos/contents#get-repository-content).
	mediaRaw = "application/vnd.github.raw+json"
)

// file is a file of a commit, or the lasting reason why there is none.
type file struct {
	data []byte
	err  error
}

type fileKey struct {
	token     tokenKey
	sha, path string
}

// File reads a file at a ref: a branch, a tag or a SHA. It returns
// review.ErrNotExist when there is none, or when path names a directory or
// submodule, and review.ErrTooLarge when it is over 1 MiB. The bytes are
// shared by all who ask, and are not to be changed.
func (r *Repository) File(ctx context.Context, ref, path string) ([]byte, error) {
	data, err := r.file(ctx, ref, path, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s at %s: %w", path, r.repo, ref, err)
	}
	return data, nil
}

// file reads a file: of a commit once, of a ref that moves each time. Reads of
// commits hold one of slots; nil is none to hold.
func (r *Repository) file(ctx context.Context, ref, path string, slots chan struct{}) ([]byte, error) {
	from, err := r.contentsPath(ref, path)
	if err != nil {
		return nil, err
	}
	if checkSHA(ref) != nil {
		got, err := r.current(ctx, r.app.caches.configs, from, mediaRaw, wholeFile)
		data, _ := got.value.([]byte)
		return data, noFile(err)
	}
	got, err := r.app.caches.contents.Get(ctx, fileKey{r.key, ref, path}, func(ctx context.Context) (f file, err error) {
		if slots != nil {
			select {
			case <-ctx.Done():
				return file{}, ctx.Err()
			case slots <- struct{}{}:
				defer func() { <-slots }()
			}
		}
		_, err = r.get(ctx, from, mediaRaw, "", func(resp *github.Response) error {
			f.data, err = readFile(resp)
			return err
		})
		if err = noFile(err); settled(err) {
			return file{err: err}, nil
		}
		return f, err
	})
	return got.data, cmp.Or(err, got.err)
}

// contentsPath is where a file's bytes are.
func (r *Repository) contentsPath(ref, path string) (string, error) {
	escaped, ok := escapePath(path)
	if !ok {
		return "", fault.New(fault.Invalid, review.ErrNotExist)
	}
	return r.path("contents/%s?ref=%s", escaped, url.QueryEscape(ref)), nil
}

func wholeFile(resp *github.Response) (any, int, error) {
	data, err := readFile(resp)
	return data, len(data), err
}

// readFile reads a whole file, up to maxFile bytes.
func readFile(resp *github.Response) ([]byte, error) {
	if err := checkRaw(resp); err != nil {
		return nil, err
	}
	if resp.ContentLength > maxFile {
		return nil, fault.New(fault.Invalid, review.ErrTooLarge)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, fault.New(fault.Invalid, review.ErrTooLarge)
	}
	return data, err
}

// checkRaw knows what has no bytes, directories and submodules: GitHub falls
// back to describing it in JSON. A file of JSON comes as the raw type.
func checkRaw(resp *github.Response) error {
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "application/json" {
		return fault.New(fault.Invalid, review.ErrNotExist)
	}
	return nil
}

// noFile knows which errors of reading a file say that there is none to read.
func noFile(err error) error {
	switch {
	case hasStatus(err, http.StatusNotFound):
		return fault.New(fault.Invalid, review.ErrNotExist)
	case tooLarge(err):
		return fault.New(fault.Invalid, review.ErrTooLarge)
	}
	return err
}

// tooLarge knows our own limit and GitHub's, which is 100 MB.
func tooLarge(err error) bool {
	if errors.Is(err, review.ErrTooLarge) {
		return true
	}
	answer, ok := errors.AsType[*answerError](err)
	return ok && answer.status == http.StatusForbidden && strings.Contains(answer.message, "too_large")
}

// escapePath makes a path of a repository part of a URL. It reports false for
// one that no file of a repository can have.
func escapePath(path string) (string, bool) {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p == "" || p == "." || p == ".." {
			return "", false
		}
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/"), true
}

// contents reads the files of one change.
type contents struct {
	repo  *Repository
	pull  review.Pull
	slots chan struct{} // one for each reader
}

func newContents(r *Repository, pull review.Pull) *contents {
	return &contents{repo: r, pull: pull, slots: make(chan struct{}, readers)}
}

// settled reports whether an error of a file at a commit will stay.
func settled(err error) bool {
	return errors.Is(err, review.ErrNotExist) || errors.Is(err, review.ErrTooLarge)
}

// Read returns the whole file. The bytes are shared by all who ask, and are
// not to be changed.
func (c *contents) Read(ctx context.Context, side review.Side, path string) ([]byte, error) {
	ref, err := c.ref(ctx, side)
	if err != nil {
		return nil, err
	}
	data, err := c.repo.file(ctx, ref, path, c.slots)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s at %s: %w", path, c.repo.repo, ref, err)
	}
	return data, nil
}

// ref is the commit of a side. The base side of a pull request's diff is where
// the branches parted, not where the base branch stands by now. Branches
// without a common commit are compared with the base itself.
func (c *contents) ref(ctx context.Context, side review.Side) (string, error) {
	switch {
	case side == review.Head:
		return c.pull.HeadSHA, nil
	case noCommit(c.pull.BaseSHA):
		return "", fault.New(fault.Invalid, review.ErrNotExist)
	}
	key := baseKey{c.repo.key, c.pull.BaseSHA, c.pull.HeadSHA}
	base, err := c.repo.app.caches.bases.Get(ctx, key, func(ctx context.Context) (mergeBase, error) {
		return c.repo.mergeBase(ctx, key)
	})
	if err != nil {
		return "", fmt.Errorf("find where %s left its base: %w", subject(c.repo.repo, c.pull), err)
	}
	return cmp.Or(base.sha, c.pull.BaseSHA), nil
}
