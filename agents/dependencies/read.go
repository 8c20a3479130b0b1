package dependencies

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay/agents/dependencies/manifest"
	"assay/review"
)

// file is a manifest or a lock file on both sides of the change.
type file struct {
	path          string
	before, after manifest.File
	// unknown says that what was there before could not be read: then only the
	// lines that the diff adds are new.
	unknown bool
	added   map[int]bool
	// lines are those of the head.
	lines []string
}

// read reads all files of the change that hold dependencies, and makes the
// receipt for every file.
func read(ctx context.Context, change *review.Change) ([]*file, []review.Coverage, error) {
	var files []*file
	var coverage []review.Coverage
	for _, changed := range change.Files {
		if err := ctx.Err(); err != nil {
			return nil, coverage, fmt.Errorf("read dependencies: %w", err)
		}
		c := review.Coverage{Path: changed.Path, Level: review.NotApplicable}
		if manifest.Known(changed.Path) {
			var f *file
			f, c.Level, c.Reason = readFile(ctx, change.Contents, changed)
			if f != nil {
				files = append(files, f)
			}
		}
		coverage = append(coverage, c)
	}
	return files, coverage, nil
}

// readFile reads one file; f is nil where its head could not be read.
func readFile(ctx context.Context, contents review.Contents, changed review.File) (f *file, level review.Level, reason string) {
	f = &file{path: changed.Path, added: make(map[int]bool)}
	for l := range changed.Added() {
		f.added[l.New] = true
	}
	level = review.Full
	if changed.Status != review.Removed {
		text, err := readSide(ctx, contents, review.Head, changed.Path)
		if err != nil {
			return nil, review.Skipped, err.Error()
		}
		f.after, err = manifest.Parse(changed.Path, text)
		if err != nil && !errors.Is(err, manifest.ErrTooMany) {
			return nil, review.Skipped, err.Error()
		}
		if err != nil {
			level, reason = review.Partial, err.Error()
		}
		f.lines = strings.Split(string(text), "\n")
	} else {
		level = review.NotApplicable // it brings nothing in; it says what was there
	}
	if problem := f.readBefore(ctx, contents, changed); problem != "" && level == review.Full {
		level, reason = review.Partial, "only added lines were checked: at the base "+problem
	}
	return f, level, reason
}

// readBefore reads the file as it was; problem says why that is not known.
func (f *file) readBefore(ctx context.Context, contents review.Contents, changed review.File) (problem string) {
	if changed.Status == review.Added {
		return ""
	}
	path := changed.Path
	if changed.OldPath != "" {
		path = changed.OldPath
	}
	text, err := readSide(ctx, contents, review.Base, path)
	if errors.Is(err, review.ErrNotExist) {
		return ""
	}
	if err == nil {
		if !manifest.Known(path) {
			path = changed.Path // it had a name that tells nothing
		}
		f.before, err = manifest.Parse(path, text)
	}
	if err != nil {
		f.unknown = true
		return err.Error()
	}
	return ""
}

// readSide reads a file; its errors are for people.
func readSide(ctx context.Context, contents review.Contents, side review.Side, path string) ([]byte, error) {
	if contents == nil {
		return nil, errors.New("it could not be read")
	}
	text, err := contents.Read(ctx, side, path)
	switch {
	case errors.Is(err, review.ErrTooLarge):
		return nil, errors.New("it is too large to be read")
	case errors.Is(err, review.ErrNotExist):
		return nil, fmt.Errorf("it is not there: %w", review.ErrNotExist)
	case err != nil:
		return nil, errors.New("it could not be read")
	}
	return text, nil
}
