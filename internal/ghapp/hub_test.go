package ghapp

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/guard"
	"assay/review"
)

// maxAttempts is how often the guard makes an idempotent call.
const maxAttempts = 3

const (
	testApp      = 42
	testInstall  = 7
	headSHA      = "1111111111111111111111111111111111111111"
	baseSHA      = "2222222222222222222222222222222222222222"
	mergeBaseSHA = "3333333333333333333333333333333333333333"
)

var (
	testKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	testRepo = review.Repo{ID: 99, Owner: "octo", Name: "hello"}
)

func testPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testKey())})
}

// hub is a hand-written GitHub: it gives out tokens, and answers the rest as
// the test says. Unexpected requests fail the test.
type hub struct {
	*http.ServeMux
	t   *testing.T
	url string

	mu    sync.Mutex
	seen  []string // "METHOD path", tokens' requests left out
	mints []mintRequest
}

type mintRequest struct {
	Installation  string            `json:"-"`
	RepositoryIDs []int64           `json:"repository_ids"`
	Repositories  []string          `json:"repositories"`
	Permissions   map[string]string `json:"permissions"`
}

func newHub(t *testing.T) *hub {
	h := &hub{ServeMux: http.NewServeMux(), t: t}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL
	h.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("unexpected request %s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotImplemented)
	})
	return h
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/access_tokens") {
		if _, pattern := h.Handler(r); pattern == "/" {
			h.mint(w, r)
			return
		}
	} else {
		h.mu.Lock()
		h.seen = append(h.seen, r.Method+" "+r.URL.Path)
		h.mu.Unlock()
	}
	h.ServeMux.ServeHTTP(w, r)
}

// mint answers with the tokens token-1, token-2 and so on.
func (h *hub) mint(w http.ResponseWriter, r *http.Request) {
	m := mintRequest{Installation: strings.Split(r.URL.Path, "/")[3]}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		h.t.Errorf("token request: %v", err)
	}
	h.mu.Lock()
	h.mints = append(h.mints, m)
	n := len(h.mints)
	h.mu.Unlock()
	reply(w, http.StatusCreated, tokenJSON(n, time.Now().Add(time.Hour)))
}

func tokenJSON(n int, expires time.Time) string {
	return fmt.Sprintf(`{"token":"token-%d","expires_at":%q}`, n, expires.UTC().Format(time.RFC3339))
}

// count is the number of requests with the prefix "METHOD path".
func (h *hub) count(prefix string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, s := range h.seen {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

func (h *hub) minted() []mintRequest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]mintRequest(nil), h.mints...)
}

// app is an App of the hub, impatient where waiting is not what is tested.
func (h *hub) app(change ...func(*Config)) *App {
	return quick(h.t, Config{APIURL: h.url}, change...)
}

func (h *hub) repo(change ...func(*Config)) *Repository {
	return h.app(change...).Repository(testInstall, testRepo, ForReview)
}

func quick(t *testing.T, cfg Config, change ...func(*Config)) *App {
	t.Helper()
	cfg.AppID, cfg.PrivateKey, cfg.WriteInterval = testApp, testPEM(), time.Nanosecond
	cfg.WritesPerMinute, cfg.WritesPerHour = -1, -1
	cfg.Guards = guard.NewSet(func(string) guard.Config { return guard.Config{Rand: func() float64 { return 0 }} })
	for _, c := range change {
		c(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.settling = time.Millisecond
	return a
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// drop breaks the connection without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// page answers with one page of items of JSON, and links to the next.
func page(h *hub, w http.ResponseWriter, r *http.Request, wrap string, items []string) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	if n < 1 || per < 1 || per > 100 {
		h.t.Errorf("page %d of %d asked for", n, per)
		return
	}
	start, end := min((n-1)*per, len(items)), min(n*per, len(items))
	if end < len(items) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d&per_page=%d>; rel="next"`, h.url, r.URL.Path, n+1, per))
	}
	reply(w, http.StatusOK, fmt.Sprintf(wrap, "["+strings.Join(items[start:end], ",")+"]"))
}

// roundTrip is a GitHub without sockets, for tests in virtual time.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, headers ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

// withTokens answers token requests and leaves the rest to next.
func withTokens(next roundTrip) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/access_tokens") {
			return answer(http.StatusCreated, tokenJSON(1, time.Now().Add(time.Hour))), nil
		}
		return next(r)
	}
}

func wantKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Fatalf("error %v (%v), want one that is %v", err, fault.KindOf(err), want)
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

const pullJSON = `{"number":5,"title":"T","body":"B","state":"open","draft":true,"changed_files":%d,
	"user":{"login":"mona","type":"User"},"labels":[{"name":"bug"}],
	"base":{"ref":"main","sha":"` + baseSHA + `","repo":{"id":99}},
	"head":{"ref":"topic","sha":"` + headSHA + `","repo":{"id":99}}}`

var testPull = review.Pull{
	Number: 5, Title: "T", Body: "B", Draft: true, Author: review.Actor{Login: "mona"}, Labels: []string{"bug"},
	BaseRef: "main", BaseSHA: baseSHA, HeadRef: "topic", HeadSHA: headSHA,
}

// answering answers everything in one way.
func answering(status int, body string) roundTrip {
	return func(*http.Request) (*http.Response, error) { return answer(status, body), nil }
}

func counting(calls *int, next roundTrip) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		*calls++
		return next(r)
	}
}
