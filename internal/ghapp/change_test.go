package ghapp

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

// serveChange answers for a pull request whose files are items of JSON.
func serveChange(h *hub, head string, total int, items []string) {
	servePull(h, head, total)
	h.HandleFunc("GET /repos/octo/hello/pulls/5/files", func(w http.ResponseWriter, r *http.Request) { page(h, w, r, "%s", items) })
}

func servePull(h *hub, head string, total int) {
	h.HandleFunc("GET /repos/octo/hello/pulls/5", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, strings.Replace(fmt.Sprintf(pullJSON, total), headSHA, head, 1))
	})
	h.HandleFunc("GET /repos/octo/hello/compare/{span}", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"merge_base_commit":{"sha":"`+mergeBaseSHA+`"}}`)
	})
}

func TestChange(t *testing.T) {
	h := newHub(t)
	text := "package a\n"
	blob := blobName([]byte(text), 40)
	other := strings.Repeat("e", 40)
	serveChange(h, headSHA, 12, []string{
		`{"filename":"z.go","sha":"` + other + `","status":"modified","additions":1,"deletions":1,"changes":2,"patch":"@@ -5 +5 @@ func z\n-a\n+b"}`,
		`{"filename":"new.go","previous_filename":"old.go","sha":"` + blob + `","status":"renamed","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"run.sh","sha":"` + blob + `","status":"changed","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"empty","sha":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391","status":"added","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"tool","sha":"` + other + `","status":"added","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"gone","sha":"` + other + `","status":"removed","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"a.PNG","sha":"` + other + `","status":"added","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"hidden.go","sha":"` + other + `","status":"modified","additions":0,"deletions":0,"changes":0}`,
		`{"filename":"huge.go","sha":"` + other + `","status":"modified","additions":30000,"deletions":0,"changes":30000}`,
		`{"filename":"cut.go","sha":"` + other + `","status":"added","additions":9,"deletions":0,"changes":9,"patch":"@@ -0,0 +1 @@\n+a"}`,
		`{"filename":"bad.go","sha":"` + other + `","status":"added","additions":1,"deletions":0,"changes":1,"patch":"what"}`,
		`{"filename":"sub","sha":"` + other + `","status":"added","additions":0,"deletions":0,"changes":0}`,
	})
	serveRaw(h, map[string]string{
		mergeBaseSHA + ":old.go":    text,
		mergeBaseSHA + ":run.sh":    text,
		headSHA + ":empty":          "",
		headSHA + ":tool":           "\x7fELF\x00\x00" + strings.Repeat("x", 2*maxFile),
		mergeBaseSHA + ":gone":      "\x00\x01",
		mergeBaseSHA + ":hidden.go": text,
		headSHA + ":hidden.go":      "package a // and what .gitattributes hides\n",
	})
	got, err := h.repo().Change(within(t), testPull)
	if err != nil {
		t.Fatal(err)
	}
	want := []review.File{
		{Path: "a.PNG", Status: review.Added, Binary: true},
		{Path: "bad.go", Status: review.Added, Additions: 1, Unread: "GitHub's patch cannot be read: patch does not begin with a hunk header (@@)"},
		{
			Path: "cut.go", Status: review.Added, Additions: 9, Unread: "GitHub's patch is cut off: it has 1 of 9 changed lines",
			Hunks: []review.Hunk{{NewStart: 1, NewLines: 1, Lines: []review.Line{{Op: review.Add, New: 1, Text: "a"}}}},
		},
		{Path: "empty", Status: review.Added},
		{Path: "gone", Status: review.Removed, Binary: true},
		{Path: "hidden.go", Status: review.Modified, Unread: "GitHub sent no patch, though the file is text"},
		{Path: "huge.go", Status: review.Modified, Additions: 30000, Unread: "GitHub sent no patch: the file's diff is too large"},
		{Path: "new.go", OldPath: "old.go", Status: review.Renamed},
		{Path: "run.sh", Status: review.Modified},
		{Path: "sub", Status: review.Added, Unread: "GitHub sent no patch, and it is no plain file"},
		{Path: "tool", Status: review.Added, Binary: true},
		{
			Path: "z.go", Status: review.Modified, Additions: 1, Deletions: 1,
			Hunks: []review.Hunk{{OldStart: 5, OldLines: 1, NewStart: 5, NewLines: 1, Section: "func z", Lines: []review.Line{
				{Op: review.Delete, Old: 5, Text: "a"}, {Op: review.Add, New: 5, Text: "b"},
			}}},
		},
	}
	if d := cmp.Diff(want, got.Files); d != "" {
		t.Error(d)
	}
	if got.Truncated != "" || got.Repo != testRepo || got.Contents == nil {
		t.Errorf("change %+v", got)
	}
	if d := cmp.Diff(testPull, got.Pull); d != "" {
		t.Error(d)
	}
}

func TestBlobName(t *testing.T) {
	if got, want := blobName([]byte("hello\n"), 40), "ce013625030ba8dba906f756967f9e9ca394464a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := blobName(nil, 64), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChangeOfManyFiles(t *testing.T) {
	tests := []struct {
		files, total int
		want         string
	}{
		{250, 250, ""},
		{3000, 3000, "GitHub lists no more than 3000 changed files"},
		{3000, 4711, "GitHub listed 3000 of 4711 changed files"},
		{10, 12, "GitHub listed 10 of 12 changed files"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.files, " of ", tt.total), func(t *testing.T) {
			h := newHub(t)
			var items []string
			for i := range tt.files {
				items = append(items, fmt.Sprintf(`{"filename":"f%d","status":"added","additions":1,"changes":1,"patch":"@@ -0,0 +1 @@\n+a"}`, i))
			}
			serveChange(h, headSHA, tt.total, items)
			c, err := h.repo().Change(within(t), testPull)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Files) != tt.files || c.Truncated != tt.want {
				t.Errorf("%d files, truncated %q; want %d, %q", len(c.Files), c.Truncated, tt.files, tt.want)
			}
			if n, want := h.count("GET /repos/octo/hello/pulls/5/files"), (tt.files+99)/100; n != want {
				t.Errorf("%d pages asked for, want %d", n, want)
			}
		})
	}
}

// TestSilentTruncation holds that patches which GitHub drops from a full page,
// counts set to zero, are asked for again.
func TestSilentTruncation(t *testing.T) {
	h := newHub(t)
	serveRaw(h, map[string]string{})
	servePull(h, headSHA, 120)
	// Each file has 300 lines, and an answer holds 20,000.
	patch := "@@ -0,0 +1,300 @@" + strings.Repeat(`\n+x`, 300)
	h.HandleFunc("GET /repos/octo/hello/pulls/5/files", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		items := make([]string, 120)
		for i := range items {
			if i >= (n-1)*per+20_000/300 {
				items[i] = fmt.Sprintf(`{"filename":"f%03d","status":"added","additions":0,"changes":0}`, i)
				continue
			}
			items[i] = fmt.Sprintf(`{"filename":"f%03d","status":"added","additions":300,"changes":300,"patch":"%s"}`, i, patch)
		}
		page(h, w, r, "%s", items)
	})
	c, err := h.repo().Change(within(t), testPull)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Files {
		if f.Additions != 300 || len(f.Hunks) != 1 || f.Unread != "" {
			t.Errorf("%s: %d additions, %d hunks, unread %q", f.Path, f.Additions, len(f.Hunks), f.Unread)
		}
	}
	// Two pages of 100, and the four of ten in which files are missing.
	if n := h.count("GET /repos/octo/hello/pulls/5/files"); len(c.Files) != 120 || n != 6 {
		t.Errorf("%d files with %d requests, want 120 with 6", len(c.Files), n)
	}
}

func TestMovedHead(t *testing.T) {
	h := newHub(t)
	serveChange(h, strings.Repeat("9", 40), 1, []string{`{"filename":"f","status":"added","additions":1,"changes":1,"patch":"@@ -0,0 +1 @@\n+a"}`})
	_, err := h.repo().Change(within(t), testPull)
	wantKind(t, err, fault.Transient)
	if !errors.Is(err, review.ErrHeadMoved) {
		t.Errorf("error %v", err)
	}
}
