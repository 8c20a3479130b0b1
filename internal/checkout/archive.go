package checkout

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"assay/review"
)

// archiveRoot is the directory that holds all in an archive, as on GitHub.
const archiveRoot = "checkout/"

// Open archives a side: a tree as git does, the working tree as it stands with
// its untracked, but not its ignored files.
func (c *contents) Open(ctx context.Context, side review.Side) (io.ReadCloser, error) {
	write := c.archiveTree
	if side == review.Head && c.trees[review.Head] == "" {
		write = c.archiveDisk
	}
	ctx, cancel := context.WithCancel(ctx)
	out, in := io.Pipe()
	go func() {
		defer cancel()
		zipped := gzip.NewWriter(in)
		err := errors.Join(write(ctx, side, zipped), zipped.Close())
		if err != nil {
			err = fmt.Errorf("archive the checkout: %w", err)
		}
		in.CloseWithError(err)
	}()
	return archiveReader{out, cancel}, nil
}

// archiveReader ends what writes the archive when it is closed.
type archiveReader struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (a archiveReader) Close() error {
	a.cancel()
	return a.PipeReader.Close()
}

// archiveTree has git write the archive. It is compressed here, since git would
// start the program that the configuration names for that.
func (c *contents) archiveTree(ctx context.Context, side review.Side, to io.Writer) error {
	cmd := c.repo.git.command(ctx, "archive", "--format=tar", "--prefix="+archiveRoot, c.trees[side])
	stderr := &tail{}
	cmd.Stdout, cmd.Stderr = to, stderr
	return c.repo.hintPartial(explain(ctx, cmd.Run(), "archive", stderr))
}

func (c *contents) archiveDisk(ctx context.Context, side review.Side, to io.Writer) error {
	entries, err := c.List(ctx, side)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(to)
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.archiveFile(archive, e.Path); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (c *contents) archiveFile(archive *tar.Writer, path string) error {
	name := filepath.FromSlash(path)
	info, err := c.repo.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it went away since it was listed
	}
	if err != nil {
		return err
	}
	target := ""
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if target, err = c.repo.root.Readlink(name); err != nil {
			return err
		}
	case !info.Mode().IsRegular():
		return nil // a submodule, or no file of a repository
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Name, header.Uname, header.Gname, header.Uid, header.Gid = archiveRoot+path, "", "", 0, 0
	if err := archive.WriteHeader(header); err != nil || target != "" {
		return err
	}
	file, err := c.repo.root.Open(name)
	if err != nil {
		return err
	}
	_, err = io.CopyN(archive, file, header.Size)
	return errors.Join(err, file.Close())
}
