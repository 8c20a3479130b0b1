package ghapp

import (
	"assay/internal/fault"
	"assay/review"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

const (
	// maxFile is the largest file that is read whole, in bytes.
	maxFile = 1 << 20
	// maxKept bounds the bytes of files kept for one change. Files beyond it
	// are read again when they are asked for again.
	maxKept = 64 << 20
	// readers is the number of files of one change read at a time; GitHub
	// allows 100 concurrent requests of the whole app.
	readers = 8
	// mediaRaw asks for a file's bytes
	// (https://docs.github.com/rest/repos/contents#get-repository-content).
	mediaRaw = "application/vnd.github.raw+json"
)

// File reads a file at a ref: a branch, a tag or a SHA. It returns
// review.ErrNotExist when there is none, or when path names a directory or
// submodule, and review.ErrTooLarge when it is over 1 MiB.
func (r *Repository) File(ctx context.Context, ref, path string) ([]byte, error) {
	var data []byte
	err := r.raw(ctx, ref, path, func(body io.Reader, length int64) (err error) {
		if length > maxFile {
			return review.ErrTooLarge
		}
		data, err = io.ReadAll(io.LimitReader(body, maxFile+1))
		if err == nil && len(data) > maxFile {
			return review.ErrTooLarge
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s of %s at %s: %w", path, r.repo, ref, err)
	}
	return data, nil
}

// raw hands the bytes of a file to use, which is called again when it is
// retried. The length is -1 when GitHub does not say.
func (r *Repository) raw(ctx context.Context, ref, path string, use func(body io.Reader, length int64) error) error {
	escaped, ok := escapePath(path)
	if !ok {
		return fault.New(fault.Invalid, review.ErrNotExist)
	}
	err := r.read(ctx, func(ctx context.Context) error {
		req, err := r.gh.NewRequest(http.MethodGet, r.path("contents/%s?ref=%s", escaped, url.QueryEscape(ref)), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", mediaRaw)
		resp, err := r.gh.BareDo(ctx, req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		// For what has no bytes, directories and submodules, GitHub falls back
		// to describing it in JSON. A file of JSON comes as the raw type.
		if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "application/json" {
			return fault.New(fault.Invalid, review.ErrNotExist)
		}
		return use(resp.Body, resp.ContentLength)
	})
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

// contents reads the files of one change, each once.
type contents struct {
	head  string
	base  memo[struct{}, string]
	files memo[fileKey, []byte]
}

type fileKey struct {
	side review.Side
	path string
}

func newContents(r *Repository, pull review.Pull) *contents {
	c := &contents{head: pull.HeadSHA}
	slots := make(chan struct{}, readers)
	c.base = memo[struct{}, string]{
		timeout: maxAttempts * (r.app.callTimeout + retryCap),
		keep:    func(_ string, err error) bool { return err == nil },
		load: func(ctx context.Context, _ struct{}) (string, error) {
			return r.mergeBase(ctx, pull)
		},
	}
	var mu sync.Mutex
	kept := 0
	c.files = memo[fileKey, []byte]{
		timeout: maxAttempts * (r.app.callTimeout + retryCap),
		keep: func(data []byte, err error) bool {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				kept += len(data)
			}
			return kept <= maxKept && (err == nil || settled(err))
		},
		load: func(ctx context.Context, key fileKey) ([]byte, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case slots <- struct{}{}:
				defer func() { <-slots }()
			}
			ref, err := c.ref(ctx, key.side)
			if err != nil {
				return nil, err
			}
			return r.File(ctx, ref, key.path)
		},
	}
	return c
}

// settled reports whether an error of a file at a commit will stay.
func settled(err error) bool {
	return errors.Is(err, review.ErrNotExist) || errors.Is(err, review.ErrTooLarge)
}

// Read returns the whole file. The bytes are shared by all who ask, and are
// not to be changed.
func (c *contents) Read(ctx context.Context, side review.Side, path string) ([]byte, error) {
	return c.files.get(ctx, fileKey{side, path})
}

// ref is the commit of a side. The base side of a pull request's diff is where
// the branches parted, not where the base branch stands by now.
func (c *contents) ref(ctx context.Context, side review.Side) (string, error) {
	if side == review.Head {
		return c.head, nil
	}
	return c.base.get(ctx, struct{}{})
}

// mergeBase asks GitHub where the pull request's branch left its base. Branches
// without a common commit are compared with the base itself.
func (r *Repository) mergeBase(ctx context.Context, pull review.Pull) (string, error) {
	var answer struct {
		MergeBase struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
	}
	err := r.read(ctx, func(ctx context.Context) error {
		// Of the comparison itself only the smallest page is wanted.
		req, err := r.gh.NewRequest(http.MethodGet, r.path("compare/%s...%s?per_page=1&page=2", pull.BaseSHA, pull.HeadSHA), nil)
		if err != nil {
			return err
		}
		if _, err = r.gh.Do(ctx, req, &answer); err != nil {
			return err
		}
		return checkMergeBase(answer.MergeBase.SHA)
	})
	if hasStatus(err, http.StatusNotFound) {
		return pull.BaseSHA, nil
	}
	if err != nil {
		return "", fmt.Errorf("find where %s#%d left its base: %w", r.repo, pull.Number, err)
	}
	return answer.MergeBase.SHA, nil
}

func checkMergeBase(sha string) error {
	if checkSHA(sha) != nil {
		return incomplete("no merge base")
	}
	return nil
}
