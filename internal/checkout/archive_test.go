package checkout

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// archived is what the archive of a side holds.
func archived(t *testing.T, c *review.Change, side review.Side) map[string]string {
	t.Helper()
	body, err := c.Archive.Open(t.Context(), side)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	zipped, err := gzip.NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for in := tar.NewReader(zipped); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeSymlink {
			all[h.Name] = string(text) + h.Linkname
		}
	}
}

func TestArchive(t *testing.T) {
	f := newFixture(t)
	f.write("a", "1")
	f.write(".gitignore", "ignored\n")
	base := f.commit("base")
	f.write("a", "2")
	f.commit("head")
	f.write("b", "new")
	f.write("ignored", "x")
	const ignore = "ignored\n"
	for _, tt := range []struct {
		options Options
		side    review.Side
		want    map[string]string
	}{
		{Options{Base: base}, review.Head, map[string]string{"checkout/a": "2", "checkout/b": "new", "checkout/.gitignore": ignore}},
		{Options{Base: base, Head: "HEAD"}, review.Head, map[string]string{"checkout/a": "2", "checkout/.gitignore": ignore}},
		{Options{Base: base}, review.Base, map[string]string{"checkout/a": "1", "checkout/.gitignore": ignore}},
	} {
		if d := cmp.Diff(tt.want, archived(t, f.change(tt.options), tt.side)); d != "" {
			t.Errorf("%+v: %s", tt, d)
		}
	}
	// One that is not read to its end leaves nothing waiting.
	body, err := f.change(Options{Base: base}).Archive.Open(t.Context(), review.Head)
	if err != nil || body.Close() != nil {
		t.Error(err)
	}
}
