package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

// tagged is a GitHub that answers with validators, and records what was asked
// with which: "token path validator status".
type tagged struct {
	mu      sync.Mutex
	version int
	mints   int
	took    time.Duration
	body    func(version int) string
	seen    []string
}

func (g *tagged) roundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	if strings.HasSuffix(r.URL.Path, "/access_tokens") {
		defer g.mu.Unlock()
		g.mints++
		return answer(201, tokenJSON(g.mints, time.Now().Add(time.Hour))), nil
	}
	tag := fmt.Sprintf(`W/"v%d"`, g.version)
	resp := answer(200, g.body(g.version), "ETag", tag, "Content-Type", mediaRaw)
	had := r.Header.Get("If-None-Match")
	if had == tag {
		resp = answer(304, "", "ETag", tag)
	}
	g.seen = append(g.seen, strings.TrimSpace(fmt.Sprint(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), " ", had)+" "+fmt.Sprint(resp.StatusCode)))
	took := g.took
	g.mu.Unlock()
	return resp, sleep(r.Context(), took)
}

func (g *tagged) set(version int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.version = version
}

func pullTitled(version int) string {
	return strings.Replace(fmt.Sprintf(pullJSON, 1), `"title":"T"`, fmt.Sprintf(`"title":"v%d"`, version), 1)
}

// TestReadingsOutliveTheirToken holds that an unchanged answer is asked about
// and not read again, after the token was replaced too; and never shared with
// whoever may see less.
func TestReadingsOutliveTheirToken(t *testing.T) {
	reads := map[string]struct {
		body func(int) string
		read func(context.Context, *Repository) (string, error)
	}{
		"pull request": {pullTitled, func(ctx context.Context, r *Repository) (string, error) {
			p, err := r.Pull(ctx, 5)
			return p.Title, err
		}},
		"config": {func(v int) string { return fmt.Sprint("v", v) }, func(ctx context.Context, r *Repository) (string, error) {
			data, err := r.File(ctx, "main", ".github/assay.yml")
			return string(data), err
		}},
		"list of files": {func(v int) string { return fmt.Sprintf(`[{"filename":"v%d"}]`, v) }, func(ctx context.Context, r *Repository) (string, error) {
			files, err := r.files(ctx, 5)
			if err != nil {
				return "", err
			}
			return files[0].GetFilename(), nil
		}},
	}
	for name, tt := range reads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &tagged{version: 1, body: tt.body}
				a := quick(t, Config{Transport: roundTrip(g.roundTrip)})
				want := func(r *Repository, want string) {
					t.Helper()
					if got, err := tt.read(t.Context(), r); got != want || err != nil {
						t.Errorf("got %q, %v; want %q", got, err, want)
					}
				}
				first := a.Repository(testInstall, testRepo, ForReview)
				want(first, "v1")
				want(a.Repository(testInstall, testRepo, ForReview), "v1")
				time.Sleep(56 * time.Minute) // the first token is no longer handed out
				want(first, "v1")
				g.set(2)
				want(first, "v2")
				want(first, "v2")
				want(a.Repository(testInstall, testRepo, ForReading), "v2")
				want(a.Repository(testInstall+1, testRepo, ForReview), "v2")
				asked := []string{
					"token-1  200", `token-1 W/"v1" 304`, `token-2 W/"v1" 304`, `token-2 W/"v1" 200`, `token-2 W/"v2" 304`,
					"token-3  200", "token-4  200",
				}
				if d := cmp.Diff(asked, g.seen); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// TestReadingsKeepThePage holds that what comes from memory still knows what
// follows it.
func TestReadingsKeepThePage(t *testing.T) {
	h := newHub(t)
	var confirmed atomic.Int32
	var items []string
	for i := range 250 {
		items = append(items, fmt.Sprintf(`{"filename":"f%d","changes":1}`, i))
	}
	h.HandleFunc("GET /repos/octo/hello/pulls/5/files", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"x"` {
			confirmed.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"x"`)
		page(h, w, r, "%s", items)
	})
	r := h.repo()
	for range 2 {
		if files, err := r.files(within(t), 5); err != nil || len(files) != 250 || files[249].GetFilename() != "f249" {
			t.Fatalf("%d files, %v", len(files), err)
		}
	}
	if confirmed.Load() != 3 {
		t.Errorf("%d pages confirmed, want 3", confirmed.Load())
	}
}

func TestReadingsAreBounded(t *testing.T) {
	long := strings.Repeat("x", maxFile)
	g := &tagged{body: func(int) string { return long }}
	r := quick(t, Config{Transport: roundTrip(g.roundTrip)}).Repository(testInstall, testRepo, ForReview)
	for n := range 10 {
		if _, err := r.File(within(t), "main", fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if s := r.app.caches.configs.Stats(); s.Bytes > configBytes || s.Size != 3 || s.Evictions != 7 {
		t.Errorf("kept %d answers, %d bytes, after %d evictions", s.Size, s.Bytes, s.Evictions)
	}
}

// TestUnaskedForConfirmation holds that a 304 which nobody asked for is no
// answer.
func TestUnaskedForConfirmation(t *testing.T) {
	h := newHub(t)
	h.HandleFunc("GET /repos/octo/hello/pulls/5", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	_, err := h.repo().Pull(within(t), 5)
	wantKind(t, err, fault.Transient)
}

// TestReadsAreShared holds that reads of the same at a time cost two requests
// at most, and that nobody is told what was read before he asked: an event may
// have told him that it is no longer so.
func TestReadsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &tagged{version: 1, took: 300 * time.Millisecond, body: pullTitled}
		r := quick(t, Config{Transport: roundTrip(g.roundTrip)}).Repository(testInstall, testRepo, ForReview)
		var callers sync.WaitGroup
		ask := func(want string) {
			callers.Go(func() {
				if p, err := r.Pull(t.Context(), 5); err != nil || p.Title != want {
					t.Errorf("got %q, %v; want %q", p.Title, err, want)
				}
			})
		}
		ask("v1")
		synctest.Wait()
		g.set(2)
		for range 200 {
			ask("v2")
		}
		callers.Wait()
		if len(g.seen) != 2 {
			t.Errorf("asked %d times: %v", len(g.seen), g.seen)
		}
	})
}

// TestFilesOfCommitsAreReadOnce holds it for reads at the same time and after
// each other, of one change and of others; a commit does not change.
func TestFilesOfCommitsAreReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &tagged{took: 100 * time.Millisecond, body: func(int) string { return "text" }}
		a := quick(t, Config{Transport: roundTrip(g.roundTrip)})
		var callers sync.WaitGroup
		read := func(installation int64) {
			callers.Go(func() {
				c := newContents(a.Repository(installation, testRepo, ForReview), testPull)
				if data, err := c.Read(t.Context(), review.Head, "f"); err != nil || string(data) != "text" {
					t.Errorf("got %q, %v", data, err)
				}
			})
		}
		for range 100 {
			read(1)
		}
		callers.Wait()
		read(1)
		callers.Wait()
		if len(g.seen) != 1 {
			t.Errorf("asked %d times, want 1", len(g.seen))
		}
		read(2)
		callers.Wait()
		if len(g.seen) != 2 {
			t.Error("another installation was handed what it had not read")
		}
	})
}

// TestAbsenceIsNotForLong holds that a file which a commit seems not to have is
// looked for again: GitHub may not have heard of the commit yet.
func TestAbsenceIsNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := quick(t, Config{Transport: withTokens(func(*http.Request) (*http.Response, error) {
			if calls++; calls == 1 {
				return answer(404, `{"message":"Not Found"}`), nil
			}
			return answer(200, "text", "Content-Type", mediaRaw), nil
		})}).Repository(testInstall, testRepo, ForReview)
		for range 2 {
			if _, err := r.File(t.Context(), headSHA, "f"); !errors.Is(err, review.ErrNotExist) || calls != 1 {
				t.Fatalf("%v after %d calls", err, calls)
			}
		}
		time.Sleep(absentFor)
		if data, err := r.File(t.Context(), headSHA, "f"); string(data) != "text" || err != nil {
			t.Errorf("got %q, %v", data, err)
		}
	})
}

// TestThousandWaitersForAToken holds fault C1 for tokens: one request, whether
// it succeeds or not.
func TestThousandWaitersForAToken(t *testing.T) {
	for name, status := range map[string]int{"made": 201, "uninstalled": 404} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mints atomic.Int32
				a := quick(t, Config{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					mints.Add(1)
					return answer(status, tokenJSON(1, time.Now().Add(time.Hour))), sleep(r.Context(), time.Second)
				})})
				start := time.Now()
				var waiters sync.WaitGroup
				for range 1000 {
					waiters.Go(func() {
						secret, err := a.tokens.get(t.Context(), tokenKey{installation: 7, repoID: 99})
						if (status == 201) != (err == nil && secret == "token-1") || (status == 404) != (fault.KindOf(err) == fault.Gone) {
							t.Errorf("%q, %v", secret, err)
						}
					})
				}
				waiters.Wait()
				if mints.Load() != 1 || time.Since(start) != time.Second {
					t.Errorf("%d requests in %v, want one", mints.Load(), time.Since(start))
				}
			})
		})
	}
}
