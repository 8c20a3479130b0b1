package ghfake

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryOperationIsKnownOrLeftOut compares the routes with the description.
func TestEveryOperationIsKnownOrLeftOut(t *testing.T) {
	v, err := newValidator()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range routes() {
		known[r.method+" "+r.template] = true
	}
	var left []string
	for template, item := range v.doc.Paths.Map() {
		for method := range item.Operations() {
			if !known[method+" "+template] {
				left = append(left, method+" "+template)
			}
		}
	}
	slices.Sort(left)
	// Assay writes no code and opens no pull requests.
	want := []string{
		"PATCH /repos/{owner}/{repo}/git/refs/{ref:.+}",
		"POST /app-manifests/{code}/conversions",
		"POST /repos/{owner}/{repo}/git/blobs",
		"POST /repos/{owner}/{repo}/git/commits",
		"POST /repos/{owner}/{repo}/git/refs",
		"POST /repos/{owner}/{repo}/git/trees",
		"POST /repos/{owner}/{repo}/labels",
		"POST /repos/{owner}/{repo}/pulls",
		"PUT /repos/{owner}/{repo}/contents/{path:.+}",
		"PUT /repos/{owner}/{repo}/issues/{issue_number}/labels",
	}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("operations left out (-want +got):\n%s", diff)
	}
}

func TestRouter(t *testing.T) {
	v, err := newValidator()
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRouter(routes(), v)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path, template string
		params         map[string]string
	}{
		{"/app", "/app", map[string]string{}},
		{"/repos/o/r/commits/feature/x/check-runs", "/repos/{owner}/{repo}/commits/{ref:.+}/check-runs", map[string]string{"owner": "o", "repo": "r", "ref": "feature/x"}},
		{"/repos/o/r/commits/feature/x", "/repos/{owner}/{repo}/commits/{ref}", map[string]string{"owner": "o", "repo": "r", "ref": "feature/x"}},
		{"/repos/o/r/commits/check-runs", "/repos/{owner}/{repo}/commits/{ref}", map[string]string{"owner": "o", "repo": "r", "ref": "check-runs"}},
		{"/repos/o/r/contents/a%20b/c%23.txt", "/repos/{owner}/{repo}/contents/{path:.+}", map[string]string{"owner": "o", "repo": "r", "path": "a b/c#.txt"}},
		{"/repos/o/r/contents/", "/repos/{owner}/{repo}/contents/{path:.+}", map[string]string{"owner": "o", "repo": "r", "path": ""}},
		{"/repos/o/r/pulls/comments/5", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", map[string]string{"owner": "o", "repo": "r", "comment_id": "5"}},
		{"/repos/o/r/pulls/5/comments", "/repos/{owner}/{repo}/pulls/{pull_number}/comments", map[string]string{"owner": "o", "repo": "r", "pull_number": "5"}},
		{"/repos/o/r/issues/comments/5", "/repos/{owner}/{repo}/issues/comments/{comment_id}", map[string]string{"owner": "o", "repo": "r", "comment_id": "5"}},
		{"/repos/o/r/compare/a...b/c", "/repos/{owner}/{repo}/compare/{basehead:.+}", map[string]string{"owner": "o", "repo": "r", "basehead": "a...b/c"}},
		{"/nothing", "", nil},
		{"/repos/o/r/contents", "", nil},
	}
	for _, tt := range tests {
		m, params := r.find(get, tt.path)
		var template string
		if m != nil {
			template = m.template
		}
		if template != tt.template {
			t.Errorf("%s finds %q, want %q", tt.path, template, tt.template)
		}
		if diff := cmp.Diff(tt.params, params); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
	}
}

func TestUndescribedRequests(t *testing.T) {
	var told []Violation
	w := newWorld(t, func(c *Config) { c.OnViolation = func(v Violation) { told = append(told, v) } })
	token := w.token("")
	w.do(get, "/repos/octo-org/shop/nothing", token, "").want(t, 404)
	w.violated(Undescribed)
	w.do(put, "/repos/octo-org/shop/pulls/1", token, "{}").want(t, 404)
	w.violated(Undescribed)
	w.do(get, "/repos/octo-org/shop/pulls?per-page=100", token, "").want(t, 200)
	w.violated(Undescribed)
	w.do(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":"x","head_sha":%q,"sumary":"typo"}`, w.pull.HeadSHA())).want(t, 201)
	w.violated(Undescribed)
	w.do(post, "/repos/octo-org/shop/issues/1/comments", token, strings.Repeat(" ", maxRequestBody+1)).want(t, http.StatusRequestEntityTooLarge)
	var messages []string
	for _, v := range told {
		messages = append(messages, v.Message)
	}
	want := []string{"no such operation in the fake", "no such method for the path", `query parameter "per-page"`, `body field "sumary"`}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if told[2].Route != "/repos/{owner}/{repo}/pulls" || !strings.Contains(told[2].String(), "per-page=100") {
		t.Errorf("violation %s", told[2])
	}
}

// TestBadAnswersAreFound has the fake answer what GitHub would not.
func TestBadAnswersAreFound(t *testing.T) {
	for name, a := range map[string]answer{
		"lacks fields":       ok(object{"id": 1}),
		"wrong type":         ok(object{"message": 1}),
		"undescribed status": {status: http.StatusAccepted, body: object{}},
		"no JSON":            {status: 200, raw: []byte("{"), contentType: jsonType},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token := w.token("")
			for _, m := range w.srv.router.byMethod[get] {
				if m.template == "/repos/{owner}/{repo}/pulls/{pull_number}" {
					m.handle = func(*Server, *call) (answer, error) { return a, nil }
				}
			}
			w.do(get, "/repos/octo-org/shop/pulls/1", token, "")
			w.violated(BadAnswer)
		})
	}
	t.Run("an error that is no refusal", func(t *testing.T) {
		w := newWorld(t)
		token := w.token("")
		for _, m := range w.srv.router.byMethod[get] {
			m.handle = func(*Server, *call) (answer, error) { return answer{}, errors.New("oops") }
		}
		w.do(get, "/repos/octo-org/shop", token, "").want(t, 500, "Server Error")
		w.violated(BadAnswer)
	})
}

func TestNewRefusesBadConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"relative API URL": {APIURL: "api"}, "relative web URL": {WebURL: "/web"}, "negative concurrency": {HookConcurrency: -1},
		"negative ring": {KeepRequests: -1}, "negative deliveries": {KeepDeliveries: -1}, "negative timeout": {HookTimeout: -1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRing(t *testing.T) {
	r := ring[int]{cap: 3}
	for i := range 5 {
		r.add(i)
	}
	if diff := cmp.Diff([]int{2, 3, 4}, r.all()); diff != "" {
		t.Error(diff)
	}
	r.reset()
	r.add(9)
	if diff := cmp.Diff([]int{9}, r.all()); diff != "" {
		t.Error(diff)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	hook, w := newHook(t), newWorld(t, func(c *Config) { c.KeepRequests = 50 })
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	token, head := w.token(""), w.pull.HeadSHA()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				w.serve(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":"n%d","head_sha":%q,"conclusion":"success"}`, i, head))
				w.serve(post, "/repos/octo-org/shop/issues/1/comments", token, `{"body":"x"}`)
				w.serve(get, "/repos/octo-org/shop/pulls/1", token, "")
				w.serve(get, "/repos/octo-org/shop/pulls/1/files", token, "")
				w.srv.Label(w.pull, fmt.Sprint(i), "alice")
				w.srv.Requests()
				w.srv.Deliveries()
				w.srv.CheckRuns(w.repo, head)
				w.serve(get, "/octo-org/shop/pull/1", "", "")
			}
		})
	}
	wg.Wait()
	flush(t, w.srv)
	if got := len(w.srv.CheckRuns(w.repo, head)); got != 40 {
		t.Errorf("%d check runs, want 40", got)
	}
	if got := len(w.srv.Requests()); got != 50 {
		t.Errorf("%d requests remembered, want 50", got)
	}
	if got := w.srv.RequestCount(); got != 161 { // one for the token
		t.Errorf("%d requests counted, want 161", got)
	}
}
