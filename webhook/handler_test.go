package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

// fakeAccepter keeps deliveries in memory, by GUID.
type fakeAccepter struct {
	mu    sync.Mutex
	kept  []Delivery
	err   error
	block chan struct{}
}

func (a *fakeAccepter) Accept(ctx context.Context, d Delivery) (Result, error) {
	if a.block != nil {
		select {
		case <-a.block:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return "", a.err
	}
	for _, k := range a.kept {
		if k.GUID == d.GUID {
			return Duplicate, nil
		}
	}
	a.kept = append(a.kept, d)
	return Accepted, nil
}

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

// newRequest is a good delivery; change makes it a bad one.
func newRequest(name string, body []byte, change func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", name)
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-Hub-Signature-256", sign(testSecret, body))
	if change != nil {
		change(r)
	}
	return r
}

type reply struct {
	code                      int
	Delivery, Status, Message string
}

func send(t testing.TB, h http.Handler, r *http.Request) (reply, http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got := reply{code: w.Code}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return got, w.Header()
}

func TestHandlerAccepts(t *testing.T) {
	body := pick(t, "pull_request", "synchronize")
	a := &fakeAccepter{}
	type result struct {
		code   int
		status string
	}
	var results []result
	h := New(newVerifier(t, testSecret), a, Config{OnResult: func(code int, status string, took time.Duration) {
		if took < 0 {
			t.Errorf("took %s", took)
		}
		results = append(results, result{code, status})
	}})
	change := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		r.Header.Set("X-GitHub-Hook-ID", "5")
		r.Header.Set("User-Agent", strings.Repeat("x", 1000))
		r.Header.Set("X-Github-Encoded-Secret", "c2VjcmV0")
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("Content-Encoding", "identity")
	}
	got, header := send(t, h, newRequest("pull_request", body, change))
	if d := cmp.Diff(reply{code: 202, Delivery: guid, Status: "accepted"}, got, cmp.AllowUnexported(reply{})); d != "" {
		t.Error(d)
	}
	if ct := header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("content type %q", ct)
	}
	ev, err := Parse("pull_request", body)
	if err != nil {
		t.Fatal(err)
	}
	ev.Delivery = guid
	want := []Delivery{{
		GUID: guid, Event: ev, Body: body, SHA256: sha256.Sum256(body),
		Header: map[string]string{
			"Content-Type": "application/json; charset=utf-8", "X-Github-Delivery": guid,
			"X-Github-Event": "pull_request", "X-Github-Hook-Id": "5",
		},
	}}
	if d := cmp.Diff(want, a.kept); d != "" {
		t.Error(d)
	}
	if got, _ := send(t, h, newRequest("pull_request", body, nil)); got.code != 200 || got.Status != "duplicate" {
		t.Errorf("again: %+v", got)
	}
	if d := cmp.Diff([]result{{202, "accepted"}, {200, "duplicate"}}, results, cmp.AllowUnexported(result{})); d != "" {
		t.Error(d)
	}
}

// The GUID alone tells requests apart, GUID and body facts.
func TestRepeatable(t *testing.T) {
	for _, s := range subscriptions {
		want := s.name == "check_run" || s.action == "rerequested" || s.name == "installation_repositories"
		if Repeatable(s.name, s.action) != want || !Subscribed(s.name, s.action) {
			t.Errorf("%s.%s: repeatable %t", s.name, s.action, !want)
		}
	}
	if Repeatable("fork", "") || Subscribed("fork", "") || Subscribed("pull_request", "assigned") {
		t.Error("an unknown event is known")
	}
	a := &fakeAccepter{}
	h := New(newVerifier(t, testSecret), a, Config{})
	send(t, h, newRequest("check_suite", pick(t, "check_suite", "rerequested"), nil))
	if len(a.kept) != 1 || !a.kept[0].Repeatable {
		t.Errorf("kept %+v", a.kept)
	}
}

func TestHandlerRefuses(t *testing.T) {
	good := pick(t, "pull_request", "opened")
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
	}
	unsigned := func(change func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) { change(r); r.Header.Del("X-Hub-Signature-256") }
	}
	large := func(r *http.Request) { r.Body = io.NopCloser(io.LimitReader(zeros{}, 1<<20)); r.ContentLength = -1 }
	tests := []struct {
		name   string
		event  string
		body   []byte
		change func(*http.Request)
		code   int
	}{
		{"GET", "pull_request", good, func(r *http.Request) { r.Method = http.MethodGet }, 405},
		{"announced too large", "pull_request", good, func(r *http.Request) { r.ContentLength = 1 << 20 }, 413},
		{"too large, not announced", "pull_request", good, large, 413},
		{"too large, announced small", "pull_request", good, func(r *http.Request) { large(r); r.ContentLength = 10 }, 413},
		{"too large comes before the signature", "pull_request", good, unsigned(large), 413},
		{"form", "pull_request", good, set("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"type comes before the signature", "pull_request", good, unsigned(set("Content-Type", "text/plain")), 415},
		{"no type", "pull_request", good, set("Content-Type"), 415},
		{"two types", "pull_request", good, set("Content-Type", "application/json", "text/plain"), 415},
		{"broken type", "pull_request", good, set("Content-Type", "application/json; ="), 415},
		{"like JSON", "pull_request", good, set("Content-Type", "application/json-seq"), 415},
		{"gzip", "pull_request", good, set("Content-Encoding", "gzip"), 415},
		{"identity, then gzip", "pull_request", good, set("Content-Encoding", "identity", "gzip"), 415},
		{"signature missing", "pull_request", good, set("X-Hub-Signature-256"), 401},
		{"signature twice", "pull_request", good, set("X-Hub-Signature-256", sign(testSecret, good), sign(testSecret, good)), 401},
		{"SHA-1 header only", "pull_request", good, unsigned(set("X-Hub-Signature", sign(testSecret, good))), 401},
		{"signature comes before the headers", "", good, unsigned(set("X-GitHub-Event")), 401},
		{"unsigned and not JSON", "pull_request", []byte("x"), unsigned(func(*http.Request) {}), 401},
		{"unsigned and ignored", "ping", good, unsigned(func(*http.Request) {}), 401},
		{"no event", "pull_request", good, set("X-GitHub-Event"), 400},
		{"two events", "pull_request", good, set("X-GitHub-Event", "ping", "pull_request"), 400},
		{"odd event", "pull_request\n", good, nil, 400},
		{"no GUID", "pull_request", good, set("X-GitHub-Delivery"), 400},
		{"long GUID", "pull_request", good, set("X-GitHub-Delivery", strings.Repeat("a", 65)), 400},
		{"odd GUID", "pull_request", good, set("X-GitHub-Delivery", "a/../b"), 400},
		{"two GUIDs", "pull_request", good, set("X-GitHub-Delivery", "a", "b"), 400},
		{"not JSON", "pull_request", []byte("{"), nil, 400},
		{"empty", "pull_request", nil, nil, 400},
		{"another event's body", "check_run", good, nil, 400},
		{"body breaks off", "pull_request", good, func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(good[:100]), broken{}))
		}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &fakeAccepter{}
			h := New(newVerifier(t, testSecret), a, Config{MaxBody: 512 << 10})
			got, header := send(t, h, newRequest(tt.event, tt.body, tt.change))
			if got.code != tt.code || got.Status != "error" || got.Message == "" {
				t.Errorf("answer %+v, want %d", got, tt.code)
			}
			if tt.code == 405 && header.Get("Allow") != http.MethodPost {
				t.Errorf("Allow %q", header.Get("Allow"))
			}
			if len(a.kept) > 0 {
				t.Errorf("accepted %+v", a.kept)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Nobody learns from the answer what was wrong with a signature.
func TestHandlerSignatureAnswerIsUniform(t *testing.T) {
	body := pick(t, "pull_request", "opened")
	a := &fakeAccepter{}
	h := New(newVerifier(t, testSecret), a, Config{})
	var first string
	for name, header := range badSignatures(body) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest("pull_request", body, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", header) }))
		if first == "" {
			first = w.Body.String()
		}
		if w.Code != http.StatusUnauthorized || w.Body.String() != first {
			t.Errorf("%s: %d %s, want 401 %s", name, w.Code, w.Body, first)
		}
	}
	if len(a.kept) > 0 {
		t.Errorf("accepted %d", len(a.kept))
	}
}

// Every payload of @octokit/webhooks-examples, signed, is taken or ignored.
func TestHandlerExamples(t *testing.T) {
	a := &fakeAccepter{}
	h := New(newVerifier(t, testSecret), a, Config{})
	accepted := make(map[string]int)
	for i, e := range examples(t) {
		id := fmt.Sprint("example-", i)
		got, _ := send(t, h, newRequest(e.name, e.body, func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", id) }))
		want := reply{code: 200, Delivery: id, Status: "ignored"}
		if ev, err := Parse(e.name, e.body); err == nil && Subscribed(e.name, e.action) && wanted(ev) {
			want.code, want.Status = 202, "accepted"
			accepted[e.name+"."+e.action]++
		}
		if got != want {
			t.Errorf("%s %s.%s: %+v, want %+v", e.host, e.name, e.action, got, want)
		}
	}
	// Of the comments none is a command; the pushes are to default branches.
	want := map[string]int{
		"pull_request.opened": 11, "pull_request.reopened": 2, "pull_request.synchronize": 1,
		"pull_request.ready_for_review": 3, "pull_request.closed": 4,
		"check_run.rerequested": 2, "check_suite.rerequested": 4,
		"pull_request.converted_to_draft": 3, "pull_request.labeled": 4, "pull_request.unlabeled": 4,
		"pull_request_review.dismissed": 1, "pull_request_review.submitted": 10,
		"check_run.requested_action": 1, "check_suite.completed": 11, "check_suite.requested": 5,
		"merge_group.checks_requested": 2, "push.": 2, "issues.opened": 6,
		"installation.created": 4, "installation.deleted": 9, "installation.new_permissions_accepted": 1,
		"installation.suspend": 1, "installation.unsuspend": 1,
		"installation_repositories.added": 9, "installation_repositories.removed": 3,
		"repository.deleted": 2, "repository.renamed": 1, "repository.transferred": 3,
	}
	if d := cmp.Diff(want, accepted); d != "" {
		t.Error(d)
	}
}

// The body of an event that nobody subscribed to is not even looked at.
func TestHandlerIgnores(t *testing.T) {
	h := New(newVerifier(t, testSecret), &fakeAccepter{err: errors.New("must not be asked")}, Config{})
	for name, body := range map[string]string{"ping": `{"zen":"x"}`, "new_event_of_2030": "not JSON at all", "fork": "{}"} {
		if got, _ := send(t, h, newRequest(name, []byte(body), nil)); got.code != 200 || got.Status != "ignored" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// An edit that changed nothing we know of is not kept.
func TestHandlerEdited(t *testing.T) {
	const pull = `"pull_request":{"number":1,"head":{"sha":"aaa"}},"repository":{"id":1,"name":"n","owner":{"login":"o"}}`
	for changes, want := range map[string]int{
		`{"title":null}`: 200, `{"base":null}`: 200, `null`: 200, `{}`: 200, `{"title":{"from":"x"}}`: 202, `{"body":{"from":null}}`: 202,
		`{"base":{"ref":{"from":"old"},"sha":{"from":"bbb"}}}`: 202,
	} {
		a := &fakeAccepter{}
		h := New(newVerifier(t, testSecret), a, Config{})
		body := `{"action":"edited","changes":` + changes + `,` + pull + `}`
		if got, _ := send(t, h, newRequest("pull_request", []byte(body), nil)); got.code != want {
			t.Errorf("%s: %+v, want %d", changes, got, want)
		}
		if want == 202 && (len(a.kept) != 1 || a.kept[0].Event.Retargeted != strings.Contains(changes, "base")) {
			t.Errorf("%s is kept as %+v", changes, a.kept)
		}
	}
}

func TestHandlerStorageFails(t *testing.T) {
	var log bytes.Buffer
	a := &fakeAccepter{err: fault.New(fault.Transient, errors.New("disk full: /secret/path"))}
	h := New(newVerifier(t, testSecret), a, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	got, header := send(t, h, newRequest("pull_request", pick(t, "pull_request", "opened"), nil))
	if got.code != 503 || got.Status != "error" || header.Get("Retry-After") != "10" || strings.Contains(got.Message, "secret") {
		t.Errorf("answer %+v, Retry-After %q", got, header.Get("Retry-After"))
	}
	for _, want := range []string{guid, "pull_request.opened", "transient", "disk full"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log %q lacks %q", log.String(), want)
		}
	}
	a.err = nil
	if got, _ := send(t, h, newRequest("pull_request", pick(t, "pull_request", "opened"), nil)); got.code != 202 {
		t.Errorf("after the failure: %+v", got)
	}
}

// With all slots taken a request waits for its turn, and is told to come back
// when it does not come.
func TestHandlerBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := pick(t, "pull_request", "opened")
		a := &fakeAccepter{block: make(chan struct{})}
		h := New(newVerifier(t, testSecret), a, Config{Memory: Memory{Bodies: 2, Wait: time.Second}})
		codes := make(chan int, 4)
		post := func(id string) {
			got, _ := send(t, h, newRequest("pull_request", body, func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", id) }))
			codes <- got.code
		}
		go post("a")
		go post("b")
		synctest.Wait() // both hold a slot and wait for the store

		started := time.Now()
		post("c")
		if code, waited := <-codes, time.Since(started); code != 503 || waited != time.Second {
			t.Errorf("third: %d after %s, want 503 after 1s", code, waited)
		}
		go post("d")
		synctest.Wait()
		close(a.block)
		for range 3 {
			if code := <-codes; code != 202 {
				t.Errorf("code %d, want 202", code)
			}
		}
	})
}

// Large bodies have slots of their own: whoever holds them all, without a good
// signature, does not keep ordinary deliveries out.
func TestHandlerLargeBodiesWaitApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &fakeAccepter{}
		h := New(newVerifier(t, testSecret), a, Config{Memory: Memory{Bodies: 8, Large: 2, Wait: time.Second}})
		codes := make(chan int, 3)
		hang := make(chan struct{})
		for announced, sent := range map[int64]int{1 << 20: 1, -1: 1 << 19} {
			go func() {
				// One says that it is large and sends next to nothing; the other
				// turns out to be.
				got, _ := send(t, h, newRequest("pull_request", nil, func(r *http.Request) {
					r.ContentLength = announced
					r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(make([]byte, sent)), hanging{hang}))
				}))
				codes <- got.code
			}()
		}
		synctest.Wait()

		got, _ := send(t, h, newRequest("pull_request", pick(t, "pull_request", "opened"), nil))
		if got.code != 202 {
			t.Errorf("ordinary delivery: %+v", got)
		}
		for _, announced := range []int64{1 << 20, -1} {
			got, _ = send(t, h, newRequest("ping", make([]byte, 1<<20), func(r *http.Request) { r.ContentLength = announced }))
			if got.code != 503 {
				t.Errorf("third large one (announced %d): %+v", announced, got)
			}
		}
		close(hang)
		for range 2 {
			if code := <-codes; code != 401 {
				t.Errorf("hanging: %d, want 401", code)
			}
		}
		got, _ = send(t, h, newRequest("ping", make([]byte, 1<<20), nil))
		if got.code != 200 {
			t.Errorf("large one when the slots are free again: %+v", got)
		}
	})
}

// hanging gives its end when released.
type hanging struct{ release chan struct{} }

func (h hanging) Read([]byte) (int, error) { <-h.release; return 0, io.EOF }

// Slots come back whatever the end of a request.
func TestHandlerLeaksNoSlot(t *testing.T) {
	h := New(newVerifier(t, testSecret), &fakeAccepter{err: errors.New("x")}, Config{MaxBody: 1 << 20, Memory: Memory{Bodies: 1, Large: 1, Wait: time.Nanosecond}})
	body := pick(t, "pull_request", "opened")
	for range 3 {
		for name, change := range map[string]func(*http.Request){
			"503":       nil,
			"401":       func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") },
			"413":       func(r *http.Request) { r.ContentLength = -1; r.Body = io.NopCloser(io.LimitReader(zeros{}, 2<<20)) },
			"400":       func(r *http.Request) { r.Body = io.NopCloser(broken{}) },
			"400 large": func(r *http.Request) { r.ContentLength = 1 << 20; r.Body = io.NopCloser(broken{}) },
		} {
			got, _ := send(t, h, newRequest("pull_request", body, change))
			if fmt.Sprint(got.code) != name[:3] || strings.Contains(got.Message, "too many") {
				t.Fatalf("%s: %+v", name, got)
			}
		}
	}
	if n, m := len(h.memory.bodies), len(h.memory.large); n+m > 0 {
		t.Errorf("%d slots and %d large slots are still taken", n, m)
	}
}

// Through a real server: chunked bodies, and many at once under the race
// detector.
func TestHandlerOverHTTP(t *testing.T) {
	a := &fakeAccepter{}
	server := httptest.NewServer(New(newVerifier(t, testSecret), a, Config{MaxBody: 1 << 20}))
	defer server.Close()
	post := func(id string, body []byte, size int64) (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, io.NopCloser(bytes.NewReader(body)))
		if err != nil {
			return 0, err
		}
		r.ContentLength = size
		r.Header = newRequest("pull_request", body, nil).Header
		r.Header.Set("X-GitHub-Delivery", id)
		resp, err := server.Client().Do(r)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	body := pick(t, "pull_request", "opened")
	if code, err := post("chunked", body, -1); err != nil || code != 202 {
		t.Errorf("chunked: %d, %v", code, err)
	}
	// The connection may break before the answer is read, but nothing is taken.
	if code, err := post("too-large", make([]byte, 2<<20), -1); err == nil && code != 413 {
		t.Errorf("too large: %d", code)
	}
	var wg sync.WaitGroup
	counts := make(chan int, 200)
	for i := range cap(counts) {
		wg.Go(func() {
			code, err := post(fmt.Sprint("copy-", i%4), body, int64(len(body)))
			if err != nil {
				t.Error(err)
			}
			counts <- code
		})
	}
	wg.Wait()
	close(counts)
	seen := make(map[int]int)
	for code := range counts {
		seen[code]++
	}
	if d := cmp.Diff(map[int]int{202: 4, 200: 196}, seen); d != "" {
		t.Error(d)
	}
}

// FuzzHandler sends whole requests, signed or not: no panic, an answer of the
// documented form, and nothing accepted without a signature.
// TestOwnSuites holds that what our own check suites do is not stored with each
// review, and that what is asked of them is.
func TestOwnSuites(t *testing.T) {
	for _, tt := range []struct {
		action string
		app    int64
		status string
	}{{"completed", 7, "ignored"}, {"requested", 7, "ignored"}, {"rerequested", 7, "accepted"}, {"completed", 8, "accepted"}, {"completed", 0, "accepted"}} {
		h := &Handler{appID: 7}
		ev := review.Event{Name: "check_suite", Action: tt.action, Check: &review.Check{ID: 1, HeadSHA: "a", AppID: tt.app}}
		if got := map[bool]string{true: "ignored", false: "accepted"}[h.echo(ev)]; got != tt.status {
			t.Errorf("%s of the app %d: %s, want %s", tt.action, tt.app, got, tt.status)
		}
	}
	if (&Handler{}).echo(review.Event{Name: "check_suite", Action: "completed", Check: &review.Check{}}) {
		t.Error("without an ID of the app a suite of no app was taken for its own")
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("POST", "application/json", "", "pull_request", guid, "", true, pick(f, "pull_request", "opened"))
	f.Add("POST", "application/json", "gzip", "check_run", "g", "sha256=00", false, []byte("{}"))
	f.Add("PUT", "text/plain;x", "", "ping", "\x00", "", false, []byte(nil))
	v := newVerifier(f, testSecret)
	f.Fuzz(func(t *testing.T, method, contentType, encoding, event, id, signature string, signed bool, body []byte) {
		a := &fakeAccepter{}
		r := newRequest(event, body, func(r *http.Request) {
			r.Method = method
			r.Header.Set("Content-Type", contentType)
			r.Header.Set("Content-Encoding", encoding)
			r.Header.Set("X-GitHub-Delivery", id)
			if !signed {
				r.Header.Set("X-Hub-Signature-256", signature)
			}
		})
		got, _ := send(t, New(v, a, Config{MaxBody: 1 << 16}), r)
		allowed := map[int]string{202: "accepted", 200: "ignored", 400: "error", 401: "error", 405: "error", 413: "error", 415: "error"}
		if allowed[got.code] != got.Status || (got.code == 202) != (len(a.kept) == 1) {
			t.Fatalf("answer %+v with %d accepted", got, len(a.kept))
		}
		if got.code < 300 && !signed && v.Verify(signature, body) != nil {
			t.Fatalf("answer %+v without a signature", got)
		}
		for _, d := range a.kept {
			if d.GUID != id || reflect.ValueOf(d.Event).IsZero() && !Subscribed(event, d.Event.Action) {
				t.Fatalf("accepted %+v", d)
			}
		}
	})
}

// BenchmarkHandler is the way of a delivery of a pull request without storage.
func BenchmarkHandler(b *testing.B) {
	body := pick(b, "pull_request", "synchronize")
	h := New(newVerifier(b, testSecret), discard{}, Config{})
	header := newRequest("pull_request", body, nil).Header
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := &http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			b.Fatal(w.Code)
		}
	}
}

type discard struct{}

func (discard) Accept(context.Context, Delivery) (Result, error) { return Accepted, nil }
