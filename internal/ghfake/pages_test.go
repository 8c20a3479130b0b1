package ghfake

import (
	"fmt"
	"strings"
	"testing"
)

func TestPullPage(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	evil := `<script>alert(1)</script>`
	w.srv.EditPull(w.pull, evil, evil, "alice")
	w.srv.Comment(w.pull, "bob", evil)
	w.do(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":"review","head_sha":%q,"conclusion":"failure","details_url":"javascript:alert(1)","output":{"title":"2 high","summary":%q,"annotations":[{"path":"main.go","start_line":8,"end_line":8,"annotation_level":"failure","message":%q}]}}`, w.pull.HeadSHA(), evil, evil)).want(t, 201)
	w.do(post, "/repos/octo-org/shop/pulls/1/reviews", token, `{"event":"COMMENT","comments":[{"path":"new.txt","line":1,"body":"look <here>"}]}`).want(t, 200)
	r := w.do(get, "/octo-org/shop/pull/1", "", "")
	r.want(t, 200, "review: failure", "2 high", "main.go:8", "look &lt;here&gt;", "&lt;script&gt;", "assay[bot]: COMMENTED")
	page := string(r.body)
	if strings.Contains(page, "<script") || strings.Contains(page, `"javascript:`) {
		t.Error("the page shows markup from the pull request")
	}
	if csp := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	w.do(get, "/", "", "").want(t, 200, `href="/octo-org/shop/pull/1"`)
	w.do(get, "/octo-org/shop/pull/9", "", "").want(t, 404)
	w.do(get, "/octo-org/none/pull/1", "", "").want(t, 404)
	head := w.pull.HeadSHA()
	w.do(get, "/octo-org/shop", "", "").want(t, 200, `href="/octo-org/shop/pull/1"`)
	w.do(get, "/octo-org/shop/blob/"+head+"/docs/a/deep.md", "", "").want(t, 200, `id="L1"`, "<pre>deep</pre>")
	w.do(get, "/octo-org/shop/commit/"+head, "", "").want(t, 200, "<pre>-gone soon</pre>", "first</pre>", "new.txt")
	for _, gone := range []string{"/blob/" + head + "/none", "/blob/1234/main.go", "/commit/1234"} {
		w.do(get, "/octo-org/shop"+gone, "", "").want(t, 404)
	}
	w.srv.ClosePull(w.pull, true, "alice")
	w.do(get, "/octo-org/shop/pull/1", "", "").want(t, 200, "merged, by alice")
	if got, want := w.pull.URL(), w.http.URL+"/octo-org/shop/pull/1"; got != want {
		t.Errorf("URL %s, want %s", got, want)
	}
}
