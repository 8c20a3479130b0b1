package ghfake

import (
	"fmt"
	"net/http"
	"testing"
)

// TestReadsFitTheDescription reads everything once: the world's cleanup fails
// on any answer that GitHub's description does not allow.
func TestReadsFitTheDescription(t *testing.T) {
	w := newWorld(t)
	w.srv.Label(w.pull, "bug", "alice")
	w.srv.Comment(w.pull, "bob", "Looks good")
	w.srv.SetPermission(w.repo, "alice", "maintain")
	token, app := w.token(""), w.jwt()
	repo := "/repos/octo-org/shop"
	head := w.pull.HeadSHA()
	tree := w.repo.objects.treeOf(head)
	blob := w.repo.objects.files(tree)["main.go"].sha

	w.do(post, repo+"/check-runs", token, fmt.Sprintf(`{"name":"review","head_sha":%q}`, head)).want(t, 201)
	run := w.srv.CheckRuns(w.repo, head)[0]
	w.do(edit, fmt.Sprintf("%s/check-runs/%d", repo, run.ID), token, `{"status":"completed","conclusion":"success","output":{"title":"t","summary":"s","annotations":[{"path":"main.go","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"}]},"actions":[{"label":"Fix","description":"fix it","identifier":"fix"}]}`).want(t, 200)
	w.do(post, repo+"/issues/1/comments", token, `{"body":"hello"}`).want(t, 201)
	comment := w.srv.Comments(w.pull)[1].ID
	w.do(post, fmt.Sprintf("%s/issues/comments/%d/reactions", repo, comment), token, `{"content":"eyes"}`).want(t, 201)
	w.do(post, repo+"/pulls/1/reviews", token, `{"event":"COMMENT","body":"b","comments":[{"path":"new.txt","line":1,"body":"c"}]}`).want(t, 200)
	review := w.srv.Reviews(w.pull)[0]

	for _, path := range []string{
		"/app", "/app/installations", fmt.Sprintf("/app/installations/%d", w.inst.ID), "/app/hook/config", "/app/hook/deliveries",
		repo + "/installation", "/orgs/octo-org/installation",
	} {
		w.do(get, path, app, "").want(t, http.StatusOK)
		w.do(get, "/api/v3"+path, app, "").want(t, http.StatusOK)
	}
	for _, path := range []string{
		"/installation/repositories", "/rate_limit", "/users/alice", repo, repo + "/collaborators/alice/permission", repo + "/labels",
		repo + "/contents/main.go", repo + "/contents/docs", repo + "/contents/", repo + "/contents/docs/a/deep.md?ref=topic",
		repo + "/compare/main...topic", repo + "/compare/main...main", repo + "/commits/topic", repo + "/commits/" + head, repo + "/commits/" + head + "/pulls",
		repo + "/git/ref/heads/topic", repo + "/git/commits/" + head, repo + "/git/trees/" + tree, repo + "/git/trees/" + head + "?recursive=1", repo + "/git/blobs/" + blob,
		repo + "/pulls", repo + "/pulls?state=all&sort=updated&direction=desc", repo + "/pulls/1", repo + "/pulls/1/files", repo + "/pulls/1/commits",
		fmt.Sprintf("%s/check-runs/%d", repo, run.ID), fmt.Sprintf("%s/check-runs/%d/annotations", repo, run.ID),
		fmt.Sprintf("%s/check-suites/%d", repo, run.SuiteID), fmt.Sprintf("%s/check-suites/%d/check-runs", repo, run.SuiteID),
		repo + "/commits/" + head + "/check-runs?filter=all", repo + "/commits/topic/check-suites",
		repo + "/issues/1/comments", fmt.Sprintf("%s/issues/comments/%d", repo, comment), fmt.Sprintf("%s/issues/comments/%d/reactions?content=eyes", repo, comment),
		repo + "/issues/1/labels", repo + "/pulls/1/reviews", fmt.Sprintf("%s/pulls/1/reviews/%d", repo, review.ID),
		fmt.Sprintf("%s/pulls/1/reviews/%d/comments", repo, review.ID), repo + "/pulls/1/comments", fmt.Sprintf("%s/pulls/comments/%d", repo, review.Comments[0].ID),
	} {
		r := w.do(get, path, token, "")
		if r.status != http.StatusOK {
			t.Errorf("%s: status %d: %s", path, r.status, r.body)
		}
	}
}
