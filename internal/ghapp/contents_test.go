package ghapp

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"assay/internal/fault"
	"assay/review"
)

// serveRaw answers for files by "ref:path".
func serveRaw(h *hub, files map[string]string) {
	h.HandleFunc("GET /repos/octo/hello/contents/{path...}", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept"); got != mediaRaw {
			h.t.Errorf("Accept %q", got)
		}
		text, ok := files[r.URL.Query().Get("ref")+":"+r.PathValue("path")]
		if !ok {
			reply(w, 404, `{"message":"Not Found"}`)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.github.raw+json; charset=utf-8")
		_, _ = w.Write([]byte(text))
	})
}

func TestFile(t *testing.T) {
	h := newHub(t)
	serveRaw(h, map[string]string{
		"main:.github/assay.yml":       "version: 1\n",
		"main:empty":                   "",
		"main:a..b/100% #1?&ref=x ü+.": "odd",
		"main:data.json":               `{"a":1}`,
		"a/b&c:x":                      "odd ref",
		"main:at the limit":            strings.Repeat("x", maxFile),
		"main:over the limit":          strings.Repeat("x", maxFile+1),
	})
	tests := []struct {
		ref, path, want string
		wantErr         error
	}{
		{"main", ".github/assay.yml", "version: 1\n", nil},
		{"main", "empty", "", nil},
		{"main", "a..b/100% #1?&ref=x ü+.", "odd", nil},
		{"main", "data.json", `{"a":1}`, nil},
		{"a/b&c", "x", "odd ref", nil},
		{"main", "at the limit", strings.Repeat("x", maxFile), nil},
		{"main", "over the limit", "", review.ErrTooLarge},
		{"main", "none", "", review.ErrNotExist},
		{"other", "empty", "", review.ErrNotExist},
		{"main", "../../../user", "", review.ErrNotExist},
		{"main", "a/./b", "", review.ErrNotExist},
		{"main", "/etc/passwd", "", review.ErrNotExist},
		{"main", "", "", review.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.ref+":"+tt.path, func(t *testing.T) {
			got, err := h.repo().File(within(t), tt.ref, tt.path)
			if !errors.Is(err, tt.wantErr) || string(got) != tt.want {
				t.Errorf("%.50q, %v; want %.50q, %v", got, err, tt.want, tt.wantErr)
			}
			if err != nil {
				wantKind(t, err, fault.Invalid)
			}
		})
	}
}

func TestFileThatIsNone(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       error
	}{
		{"directory", `[{"type":"file"}]`, 200, review.ErrNotExist},
		{"submodule", `{"type":"submodule"}`, 200, review.ErrNotExist},
		{"over 100 MB", `{"message":"This API returns blobs up to 100 MB in size.","errors":[{"resource":"Blob","field":"data","code":"too_large"}]}`, 403, review.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("GET /repos/octo/hello/contents/x", func(w http.ResponseWriter, _ *http.Request) { reply(w, tt.status, tt.body) })
			_, err := h.repo().File(within(t), "main", "x")
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// TestFileWithoutPermission holds that a refusal is not a missing file: no
// config is something else than a config that may not be read.
func TestFileWithoutPermission(t *testing.T) {
	h := newHub(t)
	h.HandleFunc("GET /repos/octo/hello/contents/x", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 403, `{"message":"Resource not accessible by integration"}`)
	})
	_, err := h.repo().File(within(t), "main", "x")
	wantKind(t, err, fault.Unauthorized)
	if errors.Is(err, review.ErrNotExist) {
		t.Error("counts as a missing file")
	}
}

func TestContentsAreReadOnce(t *testing.T) {
	h := newHub(t)
	serveRaw(h, map[string]string{headSHA + ":f": "new", mergeBaseSHA + ":f": "old", baseSHA + ":f": "newer on the base branch"})
	h.HandleFunc("GET /repos/octo/hello/compare/{span}", func(w http.ResponseWriter, r *http.Request) {
		if want := baseSHA + "..." + headSHA; r.PathValue("span") != want {
			t.Errorf("compared %s, want %s", r.PathValue("span"), want)
		}
		reply(w, 200, `{"merge_base_commit":{"sha":"`+mergeBaseSHA+`"}}`)
	})
	c := newContents(h.repo(), testPull)
	var wg sync.WaitGroup
	for range 50 {
		for side, want := range []string{"old", "new"} {
			wg.Go(func() {
				if got, err := c.Read(within(t), review.Side(side), "f"); err != nil || string(got) != want {
					t.Errorf("side %d: %q, %v", side, got, err)
				}
			})
		}
		wg.Go(func() {
			if _, err := c.Read(within(t), review.Head, "none"); !errors.Is(err, review.ErrNotExist) {
				t.Errorf("none: %v", err)
			}
		})
	}
	wg.Wait()
	for path, want := range map[string]int{"GET /repos/octo/hello/contents/f": 2, "GET /repos/octo/hello/contents/none": 1, "GET /repos/octo/hello/compare": 1} {
		if n := h.count(path); n != want {
			t.Errorf("%s: %d requests, want %d", path, n, want)
		}
	}
}

func TestUnrelatedBranchesHaveNoMergeBase(t *testing.T) {
	h := newHub(t)
	serveRaw(h, map[string]string{baseSHA + ":f": "base"})
	h.HandleFunc("GET /repos/octo/hello/compare/{span}", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 404, `{"message":"No common ancestor between a and b."}`)
	})
	if got, err := newContents(h.repo(), testPull).Read(within(t), review.Base, "f"); err != nil || string(got) != "base" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFailedReadIsForgotten(t *testing.T) {
	h := newHub(t)
	var asked atomic.Int32
	h.HandleFunc("GET /repos/octo/hello/contents/f", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= maxAttempts {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte("well"))
	})
	c := newContents(h.repo(), testPull)
	_, err := c.Read(within(t), review.Head, "f")
	wantKind(t, err, fault.Transient)
	if got, err := c.Read(within(t), review.Head, "f"); err != nil || string(got) != "well" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestKeptContentsAreBounded(t *testing.T) {
	h := newHub(t)
	big := bytes.Repeat([]byte("x"), maxFile)
	h.HandleFunc("GET /repos/octo/hello/contents/{path}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(big) })
	r := h.repo()
	c := newContents(r, testPull)
	for i := range contentsBytes/maxFile + 2 {
		if _, err := c.Read(within(t), review.Head, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if s := r.app.caches.contents.Stats(); s.Bytes != contentsBytes || s.Size != contentsBytes/maxFile {
		t.Errorf("%d files of 1 MiB kept, %d bytes; want %d", s.Size, s.Bytes, contentsBytes/maxFile)
	}
}
