package ghfake

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzServe sends anything: no request may panic, or be answered with what the
// description does not allow.
func FuzzServe(f *testing.F) {
	w := newWorld(f)
	token := w.token("")
	for _, seed := range [][3]string{
		{get, "/repos/octo-org/shop/pulls/1/files?per_page=1&page=-5", ""},
		{get, "/api/v3/repos/octo-org/shop/contents/docs/?ref=%00", ""},
		{get, "/repos/octo-org/shop/compare/main...:", ""},
		{get, "/repos/octo-org/shop/git/trees/main?recursive", ""},
		{get, "/repos/octo-org/shop/commits//check-runs", ""},
		{get, "/octo-org/shop/pull/-1", ""},
		{post, "/repos/octo-org/shop/check-runs", `{"name":"x","head_sha":"` + w.pull.HeadSHA() + `","output":{"title":"","summary":"","annotations":[{"path":"","start_line":-1,"end_line":0,"annotation_level":"notice","message":""}]}}`},
		{post, "/repos/octo-org/shop/pulls/1/reviews", `{"event":"COMMENT","comments":[{"path":"new.txt","position":-1,"line":2,"start_line":1,"body":"b"}]}`},
		{post, "/repos/octo-org/shop/pulls/1/comments", `{"body":"b","in_reply_to":1}`},
		{post, "/repos/octo-org/shop/issues/1/labels", `[""]`},
		{edit, "/repos/octo-org/shop/pulls/1", `{"state":"closed"}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || strings.TrimFunc(method, func(r rune) bool { return r >= 'A' && r <= 'Z' }) != "" || method == "" {
			t.Skip("no HTTP request")
		}
		req := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
		req.Method, req.URL = method, u
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		w.srv.ServeHTTP(rec, req)
		if rec.Code >= 500 {
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		}
		for _, v := range w.srv.Violations() {
			if v.Kind == BadAnswer {
				t.Fatal(v)
			}
		}
		w.expected = len(w.srv.Violations())
	})
}
