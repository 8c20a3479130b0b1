package ghfake

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v62/github"
)

// testKey is made once: it is slow to make.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		panic(err)
	}
	return key
})

// world is a server with an app installed on a repository that has one pull
// request.
type world struct {
	t     testing.TB
	srv   *Server
	http  *httptest.Server
	clock *clock
	app   *App
	inst  *Installation
	repo  *Repo
	pull  *PullRequest
	// expected are the violations the test provokes; any other fails it.
	expected int
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const mainGo = `package main

import "fmt"

func main() {
	fmt.Println("one")
	fmt.Println("two")
	fmt.Println("three")
}
`

func newWorld(t testing.TB, configure ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	cfg := Config{Now: w.clock.Now}
	for _, c := range configure {
		c(&cfg)
	}
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.srv = srv
	w.http = httptest.NewServer(srv)
	if err := srv.SetURLs(w.http.URL, w.http.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		srv.Close()
		w.http.Close()
		if v := srv.Violations(); len(v) != w.expected {
			t.Errorf("%d violations, want %d:", len(v), w.expected)
			for _, one := range v {
				t.Errorf("  %s", one)
			}
		}
	})
	w.app = srv.AddApp(App{Slug: "assay", Key: testKey(), WebhookSecret: "s3cret"})
	w.repo = srv.AddRepo("octo-org/shop", Files{
		"main.go": Text(mainGo), "README.md": Text("# Shop\n"), "old.txt": Text("gone soon\n"), "docs/a/deep.md": Text("deep\n"),
	})
	w.inst = srv.Install(w.app, "octo-org")
	w.pull = srv.OpenPull(w.repo, Pull{Title: "Add a line", Head: "topic", Author: "alice"}, Files{
		"main.go": Text(strings.Replace(mainGo, "three", "drei", 1)), "new.txt": Text("first\nsecond\n"), "old.txt": Deleted(),
	})
	return w
}

// jwt signs an app token as a well-behaved app does, changed by mutate.
func (w *world) jwt(mutate ...func(jwt.MapClaims)) string {
	w.t.Helper()
	now := w.clock.Now()
	claims := jwt.MapClaims{"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix(), "iss": strconv.FormatInt(w.app.ID, 10)}
	for _, m := range mutate {
		m(claims)
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(w.app.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return signed
}

// token gets an installation token, narrowed as body says.
func (w *world) token(body string) string {
	w.t.Helper()
	if body == "" {
		body = "{}"
	}
	r := w.do(post, "/app/installations/"+strconv.FormatInt(w.inst.ID, 10)+"/access_tokens", w.jwt(), body)
	r.want(w.t, http.StatusCreated)
	return r.field("token").(string)
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) want(t testing.TB, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	for _, p := range parts {
		if !bytes.Contains(r.body, []byte(p)) {
			t.Fatalf("answer lacks %q: %s", p, r.body)
		}
	}
}

func (r reply) field(name string) any {
	var o map[string]any
	_ = json.Unmarshal(r.body, &o) // the test fails on what is missing
	return o[name]
}

func (r reply) list(t testing.TB) []map[string]any {
	t.Helper()
	var out []map[string]any
	if err := json.Unmarshal(r.body, &out); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return out
}

// do sends a request; header is "Name: value" pairs.
func (w *world) do(method, path, credential, body string, header ...string) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, text}
}

// client is go-github with a token of the installation.
func (w *world) client() *github.Client {
	w.t.Helper()
	c := github.NewClient(nil).WithAuthToken(w.token(""))
	base, err := url.Parse(w.http.URL + "/api/v3/")
	if err != nil {
		w.t.Fatal(err)
	}
	c.BaseURL = base
	return c
}

// violate notes how many violations the test has provoked so far, checking the
// latest.
func (w *world) violated(kind ViolationKind) {
	w.t.Helper()
	w.expected++
	v := w.srv.Violations()
	if len(v) != w.expected {
		w.t.Fatalf("%d violations, want %d: %v", len(v), w.expected, v)
	}
	if last := v[len(v)-1]; last.Kind != kind {
		w.t.Fatalf("violation %s, want a %s", last, kind)
	}
}

func flush(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}
