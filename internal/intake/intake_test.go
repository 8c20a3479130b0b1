package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/sarif"
)

const (
	secret = "a secret of the operator's"
	head   = "0123456789abcdef0123456789abcdef01234567"
	log    = `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [{"ruleId": "a"}, {"ruleId": "b"}]}]}`
)

// memory keeps uploads for acme/app.
type memory struct {
	kept []Upload
	err  error
}

func (m *memory) Repository(_ context.Context, owner, name string) (int64, bool, error) {
	return 7, strings.EqualFold(owner+"/"+name, "acme/app"), nil
}

func (m *memory) Keep(_ context.Context, u Upload) error {
	if m.err == nil {
		m.kept = append(m.kept, u)
	}
	return m.err
}

var now = time.Unix(1_800_000_000, 0)

func newHandler(t testing.TB, keeper Keeper) *Handler {
	t.Helper()
	h, err := New(Config{Secret: secret, Keeper: keeper, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func query(repository string) string {
	return url.Values{"repository": {repository}, "sha": {head}, "category": {"semgrep"}, "root": {"/w"}}.Encode()
}

// upload is a request that is signed as the documentation has it; change may
// spoil it.
func upload(t testing.TB, repository, query, body string, at time.Time) *http.Request {
	t.Helper()
	key, err := Key(secret, repository)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/sarif?"+query, strings.NewReader(body))
	stamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set(TimestampHeader, stamp)
	r.Header.Set(SignatureHeader, Sign(key, stamp, query, []byte(body)))
	return r
}

func serve(h *Handler, r *http.Request) (int, answer, http.Header) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	var a answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		a.Message = "not JSON: " + rec.Body.String()
	}
	return rec.Code, a, rec.Header()
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAccepted(t *testing.T) {
	for name, body := range map[string]string{"plain": log, "gzip": zipped(t, log)} {
		keeper := &memory{}
		// The key does not depend on how the name is written.
		code, a, _ := serve(newHandler(t, keeper), upload(t, "Acme/App", query("acme/app"), body, now.Add(-4*time.Minute)))
		if code != http.StatusAccepted || a.Status != "accepted" || a.Results == nil || *a.Results != 2 {
			t.Errorf("%s: %d %+v", name, code, a)
		}
		if len(keeper.kept) != 1 {
			t.Fatalf("%s: kept %+v", name, keeper.kept)
		}
		u := keeper.kept[0]
		if u.RepoID != 7 || u.HeadSHA != head || u.Category != "semgrep" || !u.Received.Equal(now) || u.Log.Results() != 2 {
			t.Errorf("%s: kept %+v", name, u)
		}
	}
}

// TestKnownSignature holds keys and signatures to what openssl makes (its HKDF,
// and the commands of docs/sarif.md): those out there must keep working.
func TestKnownSignature(t *testing.T) {
	key, err := Key("s", "Acme/App")
	if want := "e74dd59197a71ec10dd0117bf222517c55180708b19b80357919778a358b667b"; err != nil || key != want {
		t.Errorf("key %s, %v, want %s", key, err, want)
	}
	want := "sha256=2a7751205b5a13874096f4fcbaaca282b81ac1a0933a9faedbe8571eb465bb95"
	if got := Sign(key, "1800000000", "repository=acme/app&sha=ab", []byte("{}")); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if other, err := Key("s", "acme/app2"); err != nil || other == key {
		t.Errorf("another repository has the key %s, %v", other, err)
	}
}

func TestRefused(t *testing.T) {
	good := query("acme/app")
	sign := func(change func(r *http.Request)) *http.Request {
		r := upload(t, "acme/app", good, log, now)
		change(r)
		return r
	}
	tests := []struct {
		name    string
		request *http.Request
		code    int
		message string
	}{
		{"another method", httptest.NewRequest(http.MethodGet, "/api/sarif?"+good, nil), 405, "POST"},
		{"no signature", sign(func(r *http.Request) { r.Header.Del(SignatureHeader) }), 401, "not signed"},
		{"no prefix", sign(func(r *http.Request) { r.Header.Set(SignatureHeader, r.Header.Get(SignatureHeader)[7:]) }), 401, "not signed"},
		{"the key of another repository", upload(t, "acme/other", good, log, now), 401, "not signed"},
		{"a repository without the app", upload(t, "acme/other", query("acme/other"), log, now), 401, "not signed"},
		{"no timestamp", sign(func(r *http.Request) { r.Header.Del(TimestampHeader) }), 401, "not signed"},
		{"another timestamp", sign(func(r *http.Request) { r.Header.Set(TimestampHeader, fmt.Sprint(now.Unix()-1)) }), 401, "not signed"},
		{"too old", upload(t, "acme/app", good, log, now.Add(-301*time.Second)), 401, "not signed"},
		{"from the future", upload(t, "acme/app", good, log, now.Add(301*time.Second)), 401, "not signed"},
		{"another head", sign(func(r *http.Request) { r.URL.RawQuery = strings.Replace(good, "0123", "1123", 1) }), 401, "not signed"},
		{"another category", sign(func(r *http.Request) { r.URL.RawQuery = strings.Replace(good, "semgrep", "codeql", 1) }), 401, "not signed"},
		{"another body", sign(func(r *http.Request) { r.Body = http.NoBody }), 401, "not signed"},
		{"a packed body that is not signed", sign(func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip"); r.Body = http.NoBody }), 401, "not signed"},
		{"no repository", httptest.NewRequest(http.MethodPost, "/?sha="+head, nil), 400, "repository is missing"},
		{"tricks in the name", upload(t, "acme/app", query("acme/../app"), log, now), 400, "repository is missing"},
		{"no SHA", upload(t, "acme/app", "repository=acme/app&sha=HEAD", log, now), 400, "sha is missing"},
		{"a category with a space", upload(t, "acme/app", "repository=acme/app&sha="+head+"&category=a%20b", log, now), 400, "category"},
		{"a parameter twice", upload(t, "acme/app", good+"&sha="+head, log, now), 400, "sha is given twice"},
		{"an unknown parameter", upload(t, "acme/app", good+"&ref=x", log, now), 400, `unknown parameter "ref"`},
		{"a query that is none", upload(t, "acme/app", good+"&%zz", log, now), 400, "query"},
		{"another encoding", sign(func(r *http.Request) { r.Header.Set("Content-Encoding", "br") }), 415, "gzip"},
		{"no SARIF", upload(t, "acme/app", good, "{}", now), 422, "not a SARIF 2.1.0 log"},
		{"broken gzip", upload(t, "acme/app", good, "\x1f\x8b\x08", now), 422, "gzip data cannot be read"},
		{"a long body", upload(t, "acme/app", good, strings.Repeat(" ", sarif.MaxBytes+1), now), 413, "over 10485760 bytes"},
		{"a gzip bomb", upload(t, "acme/app", good, zipped(t, strings.Repeat(" ", 4*sarif.MaxBytes)), now), 413, "over 10485760 bytes"},
		{"gzip in gzip", upload(t, "acme/app", good, zipped(t, zipped(t, log)), now), 422, "not a SARIF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keeper := &memory{}
			code, a, _ := serve(newHandler(t, keeper), tt.request)
			if code != tt.code || !strings.Contains(a.Message, tt.message) {
				t.Errorf("%d %+v, want %d with %q", code, a, tt.code, tt.message)
			}
			if (code == http.StatusAccepted) != (len(keeper.kept) == 1) {
				t.Errorf("kept %d", len(keeper.kept))
			}
		})
	}
}

// TestUnknownLikeUnsigned holds that nobody learns which repositories there are.
func TestUnknownLikeUnsigned(t *testing.T) {
	h := newHandler(t, &memory{})
	unknown, known := httptest.NewRecorder(), httptest.NewRecorder()
	h.ServeHTTP(unknown, upload(t, "acme/other", query("acme/other"), log, now))
	h.ServeHTTP(known, upload(t, "acme/other", query("acme/app"), log, now))
	if unknown.Code != known.Code || unknown.Body.String() != known.Body.String() {
		t.Errorf("%d %s, %d %s", unknown.Code, unknown.Body, known.Code, known.Body)
	}
}

func TestNotKept(t *testing.T) {
	keeper := &memory{err: fault.New(fault.Invalid, errors.New("too many categories"))}
	if code, a, _ := serve(newHandler(t, keeper), upload(t, "acme/app", query("acme/app"), log, now)); code != 422 || a.Message != "too many categories" {
		t.Errorf("%d %+v", code, a)
	}
	keeper.err = errors.New("disk /var/lib is full")
	code, a, header := serve(newHandler(t, keeper), upload(t, "acme/app", query("acme/app"), log, now))
	if code != 503 || strings.Contains(a.Message, "/var/lib") || header.Get("Retry-After") != "10" {
		t.Errorf("%d %+v %v", code, a, header)
	}
}

func TestPace(t *testing.T) {
	h := newHandler(t, &memory{})
	at := now
	h.now = func() time.Time { return at }
	send := func() (int, string) {
		code, _, header := serve(h, upload(t, "acme/app", query("acme/app"), log, at))
		return code, header.Get("Retry-After")
	}
	for range perMinute {
		if code, _ := send(); code != 202 {
			t.Fatal(code)
		}
	}
	at = at.Add(20 * time.Second)
	if code, after := send(); code != 429 || after != "40" {
		t.Errorf("one too many: %d, %s", code, after)
	}
	at = at.Add(40 * time.Second)
	if code, _ := send(); code != 202 {
		t.Errorf("a minute later: %d", code)
	}
}

// held is a body whose reading ends when it is told to.
type held struct {
	reading chan<- struct{}
	end     <-chan struct{}
}

func (h held) Read([]byte) (int, error) {
	h.reading <- struct{}{}
	<-h.end
	return 0, errors.New("gone")
}

// TestRoom holds that bodies of strangers do not add up.
func TestRoom(t *testing.T) {
	h := newHandler(t, &memory{})
	reading, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	for range maxBodies {
		go func() {
			r := upload(t, "acme/app", query("acme/app"), log, now)
			r.Body = http.MaxBytesReader(nil, struct {
				held
				nopCloser
			}{held{reading, end}, nopCloser{}}, 1<<20)
			serve(h, r)
			done <- struct{}{}
		}()
		<-reading
	}
	if code, _, header := serve(h, upload(t, "acme/app", query("acme/app"), log, now)); code != 503 || header.Get("Retry-After") == "" {
		t.Errorf("with no room: %d", code)
	}
	close(end)
	for range maxBodies {
		<-done
	}
	if code, _, _ := serve(h, upload(t, "acme/app", query("acme/app"), log, now)); code != 202 {
		t.Errorf("with room again: %d", code)
	}
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

func TestNew(t *testing.T) {
	if _, err := New(Config{Keeper: &memory{}}); err == nil {
		t.Error("made without a secret")
	}
	if _, err := New(Config{Secret: secret}); err == nil {
		t.Error("made without a keeper")
	}
	for _, name := range []string{"", "acme", "acme/", "/app", "a/b/c", "a b/c", "acme/app\n"} {
		if key, err := Key(secret, name); err == nil {
			t.Errorf("%q has the key %s", name, key)
		}
	}
}

func FuzzServe(f *testing.F) {
	f.Add(query("acme/app"), []byte(log))
	f.Add(query("acme/app"), []byte(zipped(f, log)))
	f.Add("repository=acme%2Fapp&sha="+head, []byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		if _, err := url.ParseRequestURI("/api/sarif?" + query); err != nil || strings.ContainsAny(query, " #\r\n") {
			return
		}
		keeper := &memory{}
		code, a, _ := serve(newHandler(t, keeper), upload(t, "acme/app", query, string(body), now))
		if (code == 202) != (len(keeper.kept) == 1) || code != 202 && a.Message == "" || code >= 500 {
			t.Errorf("%d %+v", code, a)
		}
	})
}
