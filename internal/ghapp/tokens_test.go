package ghapp

import (
	"context"
	"encoding/json"
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

// checkRun answers what AnnotationCount asks, which the tests of tokens use as
// any request.
const checkRun = `{"id":3,"output":{"annotations_count":0}}`

func TestTokensAreNarrowed(t *testing.T) {
	h := newHub(t)
	h.HandleFunc("GET /repos/octo/hello/check-runs/3", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, checkRun) })
	a := h.app()
	named := review.Repo{Owner: "octo", Name: "hello"}
	uses := []*Repository{
		a.Repository(7, testRepo, ForReview),
		a.Repository(7, testRepo, ForReview), // shares the first one's
		a.Repository(7, testRepo, ForReading),
		a.Repository(7, named, ForReading),
		a.Repository(8, named, 0),
	}
	for _, r := range uses {
		if _, err := r.AnnotationCount(within(t), 3); err != nil {
			t.Fatal(err)
		}
	}
	reading := map[string]string{"metadata": "read", "contents": "read", "pull_requests": "read"}
	want := []mintRequest{
		{Installation: "7", RepositoryIDs: []int64{99}, Permissions: map[string]string{
			"metadata": "read", "contents": "read", "issues": "read", "pull_requests": "write", "checks": "write",
		}},
		{Installation: "7", RepositoryIDs: []int64{99}, Permissions: reading},
		{Installation: "7", Repositories: []string{"hello"}, Permissions: reading},
		{Installation: "8", Repositories: []string{"hello"}, Permissions: map[string]string{"metadata": "read"}},
	}
	if d := cmp.Diff(want, h.minted()); d != "" {
		t.Error(d)
	}
}

func TestPermissionsString(t *testing.T) {
	want := "checks: write, contents: read, issues: read, metadata: read, pull_requests: write"
	if got := ForReview.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTokenIsRenewedBeforeItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mints := 0
		a := quick(t, Config{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			mints++
			return answer(201, tokenJSON(mints, time.Now().Add(time.Hour))), nil
		})})
		key := tokenKey{installation: 7, repoID: 99}
		start := time.Now()
		for _, step := range []struct {
			at   time.Duration
			want string
		}{{0, "token-1"}, {54 * time.Minute, "token-1"}, {56 * time.Minute, "token-2"}, {100 * time.Minute, "token-2"}, {112 * time.Minute, "token-3"}} {
			time.Sleep(time.Until(start.Add(step.at)))
			got, err := a.tokens.get(t.Context(), key)
			if err != nil || got != step.want {
				t.Fatalf("after %v: %q, %v; want %q", step.at, got, err, step.want)
			}
		}
	})
}

// TestUnusableTokens holds what ghinstallation does not: "null" makes it panic,
// "{}" is a token to it.
func TestUnusableTokens(t *testing.T) {
	past := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	tests := []struct{ name, body string }{
		{"null", "null"},
		{"empty object", "{}"},
		{"empty body", ""},
		{"no token", `{"token":"","expires_at":"2999-01-01T00:00:00Z"}`},
		{"no expiry", `{"token":"t"}`},
		{"expired", `{"token":"t","expires_at":"` + past + `"}`},
		{"a page", "<html>proxy says hello</html>"},
		{"wrong type", `{"token":5,"expires_at":"2999-01-01T00:00:00Z"}`},
		{"odd date", `{"token":"t","expires_at":"tomorrow"}`},
		{"cut off", `{"token":"t","exp`},
		{"list", "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			var asked atomic.Int32
			h.HandleFunc("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				reply(w, 201, tt.body)
			})
			_, err := h.repo().AnnotationCount(within(t), 3)
			wantKind(t, err, fault.Transient)
			if n := asked.Load(); n != maxAttempts {
				t.Errorf("asked %d times, want %d", n, maxAttempts)
			}
		})
	}
}

func TestRefusedTokens(t *testing.T) {
	tests := []struct {
		name, message string
		status        int
		want          fault.Kind
		says          string
	}{
		{"uninstalled", "Not Found", 404, fault.Gone, "Not Found"},
		{"suspended", "This installation has been suspended", 403, fault.Gone, "suspended"},
		{"permission not granted", "The permissions requested are not granted to this installation.", 422, fault.Unauthorized, "checks: write"},
		{"repository left", "There is at least one repository that does not exist or is not accessible to the parent installation.", 422, fault.Gone, "not part of the installation"},
		{"wrong key", "A JSON web token could not be decoded", 401, fault.Unauthorized, "could not be decoded"},
		{"down", "Server Error", 502, fault.Transient, "502"},
		{"too many", "You have exceeded a secondary rate limit", 429, fault.RateLimited, "secondary"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
				reply(w, tt.status, fmt.Sprintf(`{"message":%q}`, tt.message))
			})
			_, err := h.repo().AnnotationCount(within(t), 3)
			wantKind(t, err, tt.want)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
		})
	}
}

// TestWaitersLeaveInTime holds what ghinstallation does not: a caller with a
// short deadline is not held up by another's slow request, and the first
// caller's leaving fails nobody.
func TestWaitersLeaveInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		mints := atomic.Int32{}
		a := quick(t, Config{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			mints.Add(1)
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-release:
				return answer(201, tokenJSON(1, time.Now().Add(time.Hour))), nil
			}
		})})
		key := tokenKey{installation: 7, repoID: 99}
		leader, leave := context.WithCancel(t.Context())
		led, patient := make(chan error, 1), make(chan error, 1)
		go func() { _, err := a.tokens.get(leader, key); led <- err }()
		synctest.Wait()
		go func() { _, err := a.tokens.get(t.Context(), key); patient <- err }()

		hasty, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := a.tokens.get(hasty, key)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 200*time.Millisecond {
			t.Fatalf("hasty caller left after %v with %v", time.Since(start), err)
		}
		leave()
		if err := <-led; !errors.Is(err, context.Canceled) {
			t.Fatalf("leader: %v", err)
		}
		close(release)
		if err := <-patient; err != nil {
			t.Fatalf("patient caller: %v", err)
		}
		if mints.Load() != 1 {
			t.Errorf("%d requests, want 1", mints.Load())
		}
	})
}

func TestHungTokenRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := quick(t, Config{CallTimeout: 5 * time.Second, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})})
		start := time.Now()
		_, err := a.tokens.get(t.Context(), tokenKey{installation: 7, repoID: 99})
		wantKind(t, err, fault.Transient)
		if d := time.Since(start); d != maxAttempts*5*time.Second {
			t.Errorf("gave up after %v", d)
		}
	})
}

// TestManyTokensAtOnce is for the race detector: installations and permissions
// share no AppsTransport.
func TestManyTokensAtOnce(t *testing.T) {
	h := newHub(t)
	a := h.app()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			key := tokenKey{installation: int64(i%3 + 1), repoID: int64(i%5 + 1), permissions: ForReading}
			if _, err := a.tokens.get(within(t), key); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(h.minted()); n != 15 {
		t.Errorf("%d tokens made for 15 uses", n)
	}
}

// TestTokensAskedForTogetherAreNotMixed holds that callers who wait at the same
// time get the token for what each of them asked.
func TestTokensAskedForTogetherAreNotMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := quick(t, Config{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-release
			var asked mintRequest
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
				return nil, err
			}
			body := fmt.Sprintf(`{"token":"%s %v checks:%s","expires_at":"2999-01-01T00:00:00Z"}`,
				strings.Split(r.URL.Path, "/")[3], asked.RepositoryIDs, asked.Permissions["checks"])
			return answer(201, body), nil
		})})
		want := map[tokenKey]string{
			{installation: 1, repoID: 1, permissions: ForReading}: "1 [1] checks:",
			{installation: 1, repoID: 1, permissions: ForReview}:  "1 [1] checks:write",
			{installation: 1, repoID: 2, permissions: ForReview}:  "1 [2] checks:write",
			{installation: 2, repoID: 1, permissions: ForReview}:  "2 [1] checks:write",
		}
		var wg sync.WaitGroup
		for key, token := range want {
			wg.Go(func() {
				if got, err := a.tokens.get(t.Context(), key); err != nil || got != token {
					t.Errorf("asked for %v: %q, %v; want %q", key, got, err, token)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
	})
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	tests := []struct {
		name  string
		good  string
		mints int
	}{
		{"revoked", "Bearer token-2", 2},
		{"never good", "none", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			var bodies []string
			h.HandleFunc("POST /repos/octo/hello/issues/5/comments", func(w http.ResponseWriter, r *http.Request) {
				bodies = append(bodies, readAll(t, r.Body))
				if r.Header.Get("Authorization") != tt.good {
					reply(w, 401, `{"message":"Bad credentials"}`)
					return
				}
				reply(w, 201, `{"id":11}`)
			})
			id, err := h.repo().CreateComment(within(t), 5, "<!-- m -->", "hello <!-- m -->")
			if tt.good == "none" {
				wantKind(t, err, fault.Unauthorized)
			} else if err != nil || id != 11 {
				t.Fatalf("comment %d, %v", id, err)
			}
			if n := len(h.minted()); n != tt.mints {
				t.Errorf("%d tokens made, want %d", n, tt.mints)
			}
			if len(bodies) != 2 || bodies[0] != bodies[1] || bodies[0] == "" {
				t.Errorf("bodies sent: %q", bodies)
			}
		})
	}
}

func TestDropLeavesTheSuccessor(t *testing.T) {
	h := newHub(t)
	a, key := h.app(), tokenKey{installation: 7}
	get := func(want string) {
		t.Helper()
		if got, err := a.tokens.get(within(t), key); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	get("token-1")
	a.tokens.drop(key, "token-1")
	get("token-2")
	a.tokens.drop(key, "token-1") // by one who was refused later
	get("token-2")
}
