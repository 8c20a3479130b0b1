package tarball

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type entry struct {
	name, link, body string
	kind             byte
	mode             int64
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		if e.mode == 0 {
			e.mode = 0o644
		}
		h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: e.mode, Size: int64(len(e.body))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// listed is what is in a directory: names with their modes, links with where
// they lead.
func listed(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := name + " " + info.Mode().String()
		if target, err := os.Readlink(p); err == nil {
			line = name + " -> " + target
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	u, err := Unpack(t.Context(), bytes.NewReader(archive(t,
		entry{name: "o-r-abc/", kind: tar.TypeDir, mode: 0o777},
		entry{name: "o-r-abc/a.go", body: "package a\n"},
		entry{name: "o-r-abc/bin/run", body: "#!", mode: 0o4777},
		entry{name: "o-r-abc/l", kind: tar.TypeSymlink, link: "bin/run"},
		entry{name: "o-r-abc/bin/up", kind: tar.TypeSymlink, link: "../a.go"},
		entry{name: "o-r-abc/broken", kind: tar.TypeSymlink, link: "no/where"},
	)), dir, true, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.go -rw-r--r--", "bin drwxr-xr-x", "bin/run -rwxr-xr-x", "bin/up -> ../a.go", "broken -> no/where", "l -> bin/run"}
	if d := cmp.Diff(want, listed(t, dir)); d != "" {
		t.Error(d)
	}
	if u.Files != 2 || u.Bytes != 12 || len(u.LeftOut) != 0 {
		t.Errorf("%+v", u)
	}
}

func TestTricks(t *testing.T) {
	tests := map[string]struct {
		entries []entry
		want    []string
		why     string
	}{
		"up":               {[]entry{{name: "../x", body: "x"}}, nil, outside},
		"up inside":        {[]entry{{name: "a/../../x", body: "x"}}, nil, outside},
		"absolute":         {[]entry{{name: "/etc/x", body: "x"}}, nil, outside},
		"absolute link":    {[]entry{{name: "l", kind: tar.TypeSymlink, link: "/etc/passwd"}}, nil, leaving},
		"link up":          {[]entry{{name: "a/l", kind: tar.TypeSymlink, link: "../../x"}}, nil, leaving},
		"link to .git":     {[]entry{{name: "l", kind: tar.TypeSymlink, link: ".git/config"}}, nil, leaving},
		"write by a link":  {[]entry{{name: "l", kind: tar.TypeSymlink, link: "d"}, {name: "l/x", body: "x"}}, []string{"l drwxr-xr-x", "l/x -rw-r--r--"}, badNames},
		"link over a file": {[]entry{{name: "f", body: "x"}, {name: "f", kind: tar.TypeSymlink, link: "g"}}, []string{"f -rw-r--r--"}, badNames},
		"links of links": {[]entry{
			{name: "d/e/", kind: tar.TypeDir}, {name: "x/y/z", kind: tar.TypeSymlink, link: "../../d"},
			{name: "p", kind: tar.TypeSymlink, link: "d/e"}, {name: "q", kind: tar.TypeSymlink, link: "p/../../../x"},
		}, []string{"d drwxr-xr-x", "d/e drwxr-xr-x", "p -> d/e", "x drwxr-xr-x", "x/y drwxr-xr-x", "x/y/z -> ../../d"}, leaving},
		"through a link": {[]entry{
			{name: "a/b/c/", kind: tar.TypeDir}, {name: "s", kind: tar.TypeSymlink, link: "."}, {name: "t", kind: tar.TypeSymlink, link: "a/b/c"},
			{name: "a/b/c/u", kind: tar.TypeSymlink, link: "../../../s/../../x"},
		}, []string{"a drwxr-xr-x", "a/b drwxr-xr-x", "a/b/c drwxr-xr-x", "s -> .", "t -> a/b/c"}, leaving},
		"hard link":    {[]entry{{name: "h", kind: tar.TypeLink, link: "/etc/passwd"}}, nil, special},
		"device":       {[]entry{{name: "d", kind: tar.TypeBlock}}, nil, special},
		"character":    {[]entry{{name: "d", kind: tar.TypeChar}}, nil, special},
		"pipe":         {[]entry{{name: "p", kind: tar.TypeFifo}}, nil, special},
		"git":          {[]entry{{name: ".GIT/hooks/x", body: "x"}}, nil, badNames},
		"case":         {[]entry{{name: "A/x", body: "1"}, {name: "a/x", body: "2"}}, []string{"A drwxr-xr-x", "A/x -rw-r--r--"}, colliding},
		"twice":        {[]entry{{name: "x", body: "1"}, {name: "x", body: "2"}}, []string{"x -rw-r--r--"}, badNames},
		"under a file": {[]entry{{name: "x", body: "1"}, {name: "x/y", body: "2"}}, []string{"x -rw-r--r--"}, badNames},
		"backslash":    {[]entry{{name: `a\..\x`, body: "2"}}, nil, badNames},
		"long":         {[]entry{{name: strings.Repeat("x", 256), body: "2"}}, nil, badNames},
		"deep":         {[]entry{{name: strings.Repeat("x/", 150) + "y", body: "2"}}, nil, badNames},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "in")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			u, err := Unpack(t.Context(), bytes.NewReader(archive(t, tt.entries...)), dir, false, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, listed(t, dir)); d != "" {
				t.Error(d)
			}
			if u.LeftOut[tt.why] != 1 {
				t.Errorf("left out: %v, want one of %q", u.LeftOut, tt.why)
			}
			if around := listed(t, filepath.Dir(dir)); around[0] != "in drwxr-xr-x" || len(around) != len(tt.want)+1 {
				t.Errorf("something is outside: %q", around)
			}
		})
	}
}

func TestBombs(t *testing.T) {
	zeros := archive(t, entry{name: "z", body: strings.Repeat("\x00", 8<<20)})
	var many []entry
	for i := range 50 {
		many = append(many, entry{name: "d/" + strings.Repeat("x", i+1)})
	}
	noise := make([]byte, 64<<10)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(r.Uint32())
	}
	text := archive(t, entry{name: "t", body: string(noise)})
	for name, tt := range map[string]struct {
		data   []byte
		limits Limits
	}{
		"ratio":      {zeros, Limits{}},
		"bytes":      {zeros, Limits{Bytes: 1 << 20, Ratio: 1 << 20}},
		"entries":    {archive(t, many...), Limits{Entries: 40}},
		"compressed": {text, Limits{Compressed: 10_000}},
	} {
		if _, err := Unpack(t.Context(), bytes.NewReader(tt.data), t.TempDir(), false, tt.limits); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Unpack(t.Context(), bytes.NewReader(zeros), t.TempDir(), false, Limits{Ratio: 1 << 20}); err != nil {
		t.Errorf("within the limits: %v", err)
	}
}

func TestBroken(t *testing.T) {
	whole := archive(t, entry{name: "a", body: strings.Repeat("abc", 1000)}, entry{name: "b", body: "b"})
	for name, data := range map[string][]byte{"nothing": nil, "no gzip": []byte("hello, world"), "cut": whole[:len(whole)/2]} {
		if _, err := Unpack(t.Context(), bytes.NewReader(data), t.TempDir(), false, Limits{}); err == nil {
			t.Errorf("%s was unpacked", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Unpack(ctx, bytes.NewReader(whole), t.TempDir(), false, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, entry{name: "a/b", body: "x"}, entry{name: "l", kind: tar.TypeSymlink, link: "a/../.."}))
	f.Add(archive(f, entry{name: "../x", body: "x"}, entry{name: "h", kind: tar.TypeLink, link: "a"}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		// Both as an archive and as what is in one, which mutates better.
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write(raw)
		_ = z.Close()
		for _, data := range [][]byte{raw, zipped.Bytes()} {
			base := t.TempDir()
			dir := filepath.Join(base, "in")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			_, _ = Unpack(context.Background(), io.LimitReader(bytes.NewReader(data), 1<<20), dir, false, Limits{Bytes: 1 << 20, Entries: 100})
			if entries, err := os.ReadDir(base); err != nil || len(entries) != 1 {
				t.Fatalf("outside: %v %v", entries, err)
			}
			_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
				if err == nil && d.Type()&fs.ModeSymlink != 0 {
					if real, err := filepath.EvalSymlinks(p); err == nil && !strings.HasPrefix(real, dir) {
						t.Fatalf("%s leads to %s", p, real)
					}
				}
				return nil
			})
		}
	})
}
