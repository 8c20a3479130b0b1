package ghfake

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// serve sends a request to the handler itself, without a network.
func (w *world) serve(method, path, token, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, req)
	return rec
}

// BenchmarkCreateCheckRun is one check run made, with the request and the
// answer both held to GitHub's description.
func BenchmarkCreateCheckRun(b *testing.B) {
	w := newWorld(b)
	token := w.token("")
	body := fmt.Sprintf(`{"name":"review","head_sha":%q,"status":"in_progress","output":{"title":"t","summary":"s"}}`, w.pull.HeadSHA())
	b.ReportAllocs()
	for b.Loop() {
		if rec := w.serve(post, "/repos/octo-org/shop/check-runs", token, body); rec.Code != http.StatusCreated {
			b.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
	}
}

// BenchmarkGetPull is the largest of the usual answers.
func BenchmarkGetPull(b *testing.B) {
	w := newWorld(b)
	token := w.token("")
	b.ReportAllocs()
	for b.Loop() {
		if rec := w.serve(get, "/repos/octo-org/shop/pulls/1", token, ""); rec.Code != http.StatusOK {
			b.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
	}
}

// BenchmarkPayload is a pull_request event as load tests make it.
func BenchmarkPayload(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.srv.Payload(w.app, Event{Name: "pull_request", Action: "opened", Pull: w.pull}); err != nil {
			b.Fatal(err)
		}
	}
}
