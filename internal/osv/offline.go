package osv

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"assay/internal/fault"
	"assay/review"
)

// Bounds of a copy of the database. OSV's largest ecosystem here, npm with its
// malicious packages, has about 220,000 advisories.
const (
	maxCopyRecords = 1_000_000
	maxCopyBytes   = 8 << 30 // uncompressed, of one ecosystem
)

// Offline answers from a copy of the database: a directory with a zip or a
// directory of JSON files for each ecosystem, named as OSV's bucket names them
// ("npm/all.zip", "npm.zip" or "npm/GHSA-….json";
// https://google.github.io/osv.dev/data/). It is safe for concurrent use.
//
// An ecosystem is read when it is first asked for, and kept in memory until
// the process ends: what the copy is replaced with counts from then on.
type Offline struct {
	dir        string
	mu         sync.Mutex
	ecosystems map[string]*index
}

// index are the records of an ecosystem by the names of their packages.
type index struct {
	byName map[string][]*record
}

// OpenOffline opens the copy in the directory.
func OpenOffline(dir string) (*Offline, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open the copy of the OSV database: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open the copy of the OSV database: %s is not a directory", dir)
	}
	return &Offline{dir: dir, ecosystems: make(map[string]*index)}, nil
}

// Advisories returns what the copy knows of the versions. An ecosystem that the
// copy does not have is an error: its silence would say that all is well.
func (o *Offline) Advisories(ctx context.Context, packages []review.Package) ([]review.Advisory, error) {
	var found []review.Advisory
	for _, p := range packages {
		ix, err := o.index(ctx, p.Ecosystem)
		if err != nil {
			return nil, err
		}
		for _, r := range ix.byName[nameOf(p.Ecosystem, p.Name)] {
			if r.affects(p) {
				found = append(found, r.advisory(p))
			}
		}
	}
	return found, ctx.Err()
}

func (o *Offline) index(ctx context.Context, ecosystem string) (*index, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ix, ok := o.ecosystems[ecosystem]
	if !ok {
		var err error
		if ix, err = o.load(ctx, ecosystem); err != nil {
			return nil, fmt.Errorf("read the copy of OSV's %s: %w", ecosystem, err)
		}
		o.ecosystems[ecosystem] = ix
	}
	return ix, nil
}

// load reads an ecosystem from where it is found first.
func (o *Offline) load(ctx context.Context, ecosystem string) (*index, error) {
	l := loader{ecosystem: ecosystem, index: &index{byName: make(map[string][]*record)}}
	base := filepath.Join(o.dir, filepath.Base(ecosystem))
	for _, archive := range []string{filepath.Join(base, "all.zip"), base + ".zip"} {
		z, err := zip.OpenReader(archive)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fault.New(fault.Internal, err)
		}
		defer z.Close()
		return l.index, l.walk(ctx, z)
	}
	if _, err := os.Stat(base); err != nil {
		return nil, fault.New(fault.Invalid, errors.New("there is none"))
	}
	return l.index, l.walk(ctx, os.DirFS(base))
}

// loader takes records in, within the bounds.
type loader struct {
	ecosystem string
	index     *index
	records   int
	bytes     int64
}

func (l *loader) walk(ctx context.Context, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || path.Ext(name) != ".json" {
			return ctx.Err()
		}
		return l.file(files, name)
	})
}

func (l *loader) file(files fs.FS, name string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	l.records++
	l.bytes += int64(len(text))
	if len(text) > maxRecord || l.records > maxCopyRecords || l.bytes > maxCopyBytes {
		return fmt.Errorf("%s: the copy is larger than a database of OSV's", name)
	}
	r := new(record)
	if err := json.Unmarshal(text, r); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if r.Withdrawn == "" {
		l.add(r)
	}
	return nil
}

// add puts the record under each of its packages in the ecosystem, without
// what is about others.
func (l *loader) add(r *record) {
	kept := r.Affected[:0]
	names := make(map[string]bool)
	for _, a := range r.Affected {
		if ecosystemOf(a.Package.Ecosystem) == l.ecosystem {
			kept = append(kept, a)
			names[nameOf(l.ecosystem, a.Package.Name)] = true
		}
	}
	r.Affected = kept

	for name := range names {
		l.index.byName[name] = append(l.index.byName[name], r)
	}
}
