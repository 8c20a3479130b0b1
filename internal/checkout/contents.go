package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"assay/review"
)

// maxCached bounds what contents keep, in bytes.
const maxCached = 64 << 20

// contents reads files of a change; it implements review.Contents. It reads
// what a pull request could hold and no more: of the working tree the files
// that git tracks or would list as untracked, never ignored ones, nothing in
// .git, and nothing through symbolic links, whose content is their target.
//
// Files of the working tree come as they are on disk, with the line ends they
// have there.
type contents struct {
	repo *Repo
	// trees are the trees of the sides; that of the head is empty for the
	// working tree.
	trees [2]string
	// objects are the blobs of changed files by side and path.
	objects [2]map[string]string
	// listed are git's files of the working tree with their tag (`git ls-files
	// -t`).
	listed map[string]byte

	mu     sync.Mutex
	cache  map[place][]byte
	cached int
}

type place struct {
	side review.Side
	path string
}

func newContents(r *Repo, cmp comparison) *contents {
	return &contents{
		repo: r, trees: [2]string{cmp.baseTree, cmp.headTree}, objects: [2]map[string]string{{}, {}},
		listed: map[string]byte{}, cache: map[place][]byte{},
	}
}

// know remembers the blobs of changed files.
func (c *contents) know(files []fileDiff) {
	for _, f := range files {
		if f.oldOID != "" {
			c.objects[review.Base][f.oldName()] = f.oldOID
		}
		if f.newOID != "" && c.trees[review.Head] != "" {
			c.objects[review.Head][f.Path] = f.newOID
		}
	}
}

// Read returns the whole file; the caller may change the bytes.
func (c *contents) Read(ctx context.Context, side review.Side, path string) ([]byte, error) {
	at := place{side, path}
	c.mu.Lock()
	data, ok := c.cache[at]
	c.mu.Unlock()
	if ok {
		return bytes.Clone(data), nil
	}
	data, err := c.load(ctx, side, path, c.repo.limits.read)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cached+len(data) > maxCached {
		// Agents look at the same files at about the same time, so starting
		// afresh costs little.
		c.cache, c.cached = map[place][]byte{}, 0
	}
	c.cache[at] = data
	c.cached += len(data)
	return bytes.Clone(data), nil
}

func (c *contents) load(ctx context.Context, side review.Side, path string, limit int) ([]byte, error) {
	if !validPath(path) {
		return nil, review.ErrNotExist
	}
	if !c.onDisk(side, path) {
		spec, err := c.spec(ctx, side, path)
		if err != nil {
			return nil, err
		}
		return c.repo.objects.blob(ctx, spec, limit)
	}
	info, err := c.stat(path)
	if err != nil {
		return nil, err
	}
	return c.readDisk(path, info, limit)
}

// size is the size of a file, in bytes.
func (c *contents) size(ctx context.Context, side review.Side, path string) (int64, error) {
	if c.onDisk(side, path) {
		info, err := c.stat(path)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	spec, err := c.spec(ctx, side, path)
	if err != nil {
		return 0, err
	}
	o, err := c.repo.objects.info(ctx, spec)
	return o.size, err
}

// onDisk reports whether the file is read from the working tree. What a sparse
// checkout leaves out is not there, and is read from the index.
func (c *contents) onDisk(side review.Side, path string) bool {
	const skipped = 'S'
	return side == review.Head && c.trees[review.Head] == "" && c.listed[path] != skipped
}

// spec is what names the file to git cat-file.
func (c *contents) spec(ctx context.Context, side review.Side, path string) (string, error) {
	if oid := c.objects[side][path]; oid != "" {
		return oid, nil
	}
	spec := c.trees[side] + ":" + path
	if c.trees[side] == "" {
		spec = ":0:" + path
	}
	if strings.Contains(spec, "\n") { // which ends a question to cat-file
		oid, err := c.repo.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", spec)
		if exitCode(err) > 0 {
			return "", review.ErrNotExist
		}
		return oid, err
	}
	return spec, nil
}

// stat finds a file on disk that git has to do with, without following links.
func (c *contents) stat(path string) (fs.FileInfo, error) {
	if c.listed[path] == 0 {
		return nil, review.ErrNotExist
	}
	for i, b := range []byte(path) {
		if b != '/' {
			continue
		}
		// A directory that was replaced by a link leads elsewhere.
		if info, err := c.repo.root.Lstat(filepath.FromSlash(path[:i])); err != nil || !info.IsDir() {
			return nil, review.ErrNotExist
		}
	}
	info, err := c.repo.root.Lstat(filepath.FromSlash(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, review.ErrNotExist
	}
	return info, err
}

func (c *contents) readDisk(path string, info fs.FileInfo, limit int) ([]byte, error) {
	name := filepath.FromSlash(path)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := c.repo.root.Readlink(name)
		return []byte(filepath.ToSlash(target)), err
	case !info.Mode().IsRegular():
		return nil, review.ErrNotExist // a submodule
	case info.Size() > int64(limit):
		return nil, review.ErrTooLarge
	}
	f, err := c.repo.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = review.ErrTooLarge // it has grown meanwhile
	}
	return data, err
}

// validPath holds what git holds of a path in a tree, so that none leads up,
// starts at the root or is read as something else by git.
func validPath(path string) bool {
	if strings.ContainsRune(path, 0) {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}
