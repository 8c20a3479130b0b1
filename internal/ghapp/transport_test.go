package ghapp

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"assay/internal/fault"
)

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

// tripwire is a host that is not GitHub. It may not hear a word.
func tripwire(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a foreign host was sent %s %s with Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestForeignRedirectIsRefused(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			h, evil := newHub(t), tripwire(t)
			h.HandleFunc("GET /repos/octo/hello/check-runs/3", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, evil+"/steal", status)
			})
			_, err := h.repo().AnnotationCount(within(t), 3)
			wantKind(t, err, fault.Invalid)
			if !strings.Contains(err.Error(), "refused to send") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestForeignRedirectOfTokenIsRefused(t *testing.T) {
	h, evil := newHub(t), tripwire(t)
	h.HandleFunc("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, evil+"/steal", http.StatusTemporaryRedirect)
	})
	_, err := h.repo().AnnotationCount(within(t), 3)
	wantKind(t, err, fault.Invalid)
}

func TestForeignRequestIsRefused(t *testing.T) {
	h, evil := newHub(t), tripwire(t)
	r := h.repo()
	for _, to := range []string{evil + "/x", strings.Replace(h.url, "http:", "https:", 1) + "/x"} {
		req, err := http.NewRequestWithContext(within(t), http.MethodGet, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := r.gh.Client().Do(req); err == nil {
			_ = resp.Body.Close()
			t.Errorf("request to %s was sent", to)
		} else {
			wantKind(t, err, fault.Invalid)
		}
	}
}

// TestRenamedRepository holds that redirects on the host are followed with
// method, body and token kept.
func TestRenamedRepository(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("POST /repos/octo/hello/issues/5/comments", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/repositories/99/issues/5/comments")
				w.WriteHeader(status)
			})
			h.HandleFunc("POST /repositories/99/issues/5/comments", func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Authorization"); got != "Bearer token-1" {
					t.Errorf("Authorization %q", got)
				}
				if got := readAll(t, r.Body); !strings.Contains(got, "hello") {
					t.Errorf("body %q", got)
				}
				reply(w, 201, `{"id":11}`)
			})
			id, err := h.repo().CreateComment(within(t), 5, "hello", "hello")
			if err != nil || id != 11 {
				t.Fatalf("comment %d, %v", id, err)
			}
		})
	}
}

func TestRewound(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x.example", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	_ = readAll(t, req.Body)
	again, err := rewound(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, again.Body); got != "body" {
		t.Errorf("second body %q", got)
	}
	req.GetBody = nil
	if _, err := rewound(req); err == nil {
		t.Error("a body that cannot be read again was sent as none")
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	h := newHub(t)
	h.HandleFunc("GET /repos/octo/hello/check-runs/3", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	})
	_, err := h.repo().AnnotationCount(within(t), 3)
	wantKind(t, err, fault.Transient)
	if n, want := h.count("GET"), maxAttempts*(maxRedirects+1); n != want {
		t.Errorf("%d requests, want %d", n, want)
	}
}

// TestGzipBomb sends a few kilobytes that unpack to 256 MiB, as an answer and
// as a token, and counts what is allocated.
func TestGzipBomb(t *testing.T) {
	zipped := func(s string) []byte {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		_, _ = io.WriteString(zip, s)
		_ = zip.Close()
		return b.Bytes()
	}
	// Members of a gzip stream one after another unpack to one text.
	bomb := append(zipped(`{"token":"`), bytes.Repeat(zipped(strings.Repeat("A", 1<<20)), 256)...)
	for _, path := range []string{"GET /repos/octo/hello/check-runs/3", "POST /app/installations/7/access_tokens"} {
		t.Run(path, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write(bomb)
			})
			a := h.app()
			const bound = 1 << 20
			a.base.(*redirects).next.(*pinned).bound = bound
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := a.Repository(testInstall, testRepo, ForReview).AnnotationCount(within(t), 3)
			runtime.ReadMemStats(&after)
			wantKind(t, err, fault.Invalid)
			if !errors.Is(err, errAnswerTooLarge) {
				t.Errorf("error %v", err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 16*bound {
				t.Errorf("%d bytes allocated for an answer bounded to %d", got, bound)
			}
		})
	}
}

func TestAnswerAtTheBound(t *testing.T) {
	for _, size := range []int{0, 9, 10, 11} {
		b := &boundedBody{body: io.NopCloser(strings.NewReader(strings.Repeat("x", size))), left: 10}
		data, err := io.ReadAll(b)
		if size <= 10 && (err != nil || len(data) != size) {
			t.Errorf("%d bytes: read %d, %v", size, len(data), err)
		}
		if size > 10 && (!errors.Is(err, errAnswerTooLarge) || len(data) != 10) {
			t.Errorf("%d bytes: read %d, %v", size, len(data), err)
		}
	}
}

// TestUnreadableAnswers holds fault G12: no panic, no wrong result.
func TestUnreadableAnswers(t *testing.T) {
	calls := map[string]func(*Repository) error{
		"pull":    func(r *Repository) error { _, err := r.Pull(t.Context(), 5); return err },
		"pulls":   func(r *Repository) error { _, err := r.PullsForCommit(t.Context(), headSHA); return err },
		"change":  func(r *Repository) error { _, err := r.Change(t.Context(), testPull); return err },
		"count":   func(r *Repository) error { _, err := r.AnnotationCount(t.Context(), 3); return err },
		"check":   func(r *Repository) error { _, _, err := r.FindCheck(t.Context(), headSHA, "a", "b"); return err },
		"comment": func(r *Repository) error { _, _, _, err := r.FindComment(t.Context(), 5, "m"); return err },
		"app":     func(r *Repository) error { _, err := r.app.App(t.Context()); return err },
	}
	for name, call := range calls {
		for _, body := range []string{"null", "{}", "", "<html>502</html>", `{"id":"five","number":{}}`, `[{"id":`} {
			t.Run(name+" "+body, func(t *testing.T) {
				h := newHub(t)
				var asked atomic.Int32
				h.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
					asked.Add(1)
					reply(w, 200, body)
				})
				wantKind(t, call(h.repo()), fault.Transient)
				if n := asked.Load(); n != maxAttempts {
					t.Errorf("asked %d times, want %d", n, maxAttempts)
				}
			})
		}
	}
}
