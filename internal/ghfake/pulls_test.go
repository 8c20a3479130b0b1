package ghfake

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestPullThroughClient(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(), context.Background()
	pull, _, err := c.PullRequests.Get(ctx, "octo-org", "shop", 1)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		pull.GetTitle(), pull.GetState(), pull.GetUser().GetLogin(), pull.GetHead().GetRef(), pull.GetHead().GetSHA(), pull.GetBase().GetRef(),
		pull.GetHead().GetRepo().GetFullName(), pull.GetAdditions(), pull.GetDeletions(), pull.GetChangedFiles(), pull.GetCommits(), pull.GetMergeable(),
	}
	want := []any{"Add a line", "open", "alice", "topic", w.pull.HeadSHA(), "main", "octo-org/shop", 3, 2, 3, 1, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pull request (-want +got):\n%s", diff)
	}
	files, _, err := c.PullRequests.ListFiles(ctx, "octo-org", "shop", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("%s %s +%d -%d %s", f.GetStatus(), f.GetFilename(), f.GetAdditions(), f.GetDeletions(), strings.SplitN(f.GetPatch(), "\n", 2)[0]))
	}
	wantLines := []string{
		"modified main.go +1 -1 @@ -5,5 +5,5 @@ import \"fmt\"", "added new.txt +2 -0 @@ -0,0 +1,2 @@", "removed old.txt +0 -1 @@ -1 +0,0 @@",
	}
	if diff := cmp.Diff(wantLines, lines); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	diff, _, err := c.PullRequests.GetRaw(ctx, "octo-org", "shop", 1, github.RawOptions{Type: github.Diff})
	if err != nil || !strings.HasPrefix(diff, "diff --git a/main.go b/main.go\nindex ") {
		t.Errorf("diff %.200q, %v", diff, err)
	}
	commits, _, err := c.PullRequests.ListCommits(ctx, "octo-org", "shop", 1, nil)
	if err != nil || len(commits) != 1 || commits[0].GetSHA() != w.pull.HeadSHA() {
		t.Errorf("commits %v, %v", commits, err)
	}
	comparison, _, err := c.Repositories.CompareCommits(ctx, "octo-org", "shop", "main", "topic", nil)
	if err != nil || comparison.GetStatus() != "ahead" || comparison.GetAheadBy() != 1 || len(comparison.Files) != 3 {
		t.Errorf("comparison %v, %v", comparison, err)
	}
	pulls, _, err := c.PullRequests.ListPullRequestsWithCommit(ctx, "octo-org", "shop", w.pull.HeadSHA(), nil)
	if err != nil || len(pulls) != 1 {
		t.Errorf("pull requests with the commit: %v, %v", pulls, err)
	}
	w.do(get, "/repos/octo-org/shop/pulls/2", w.token(""), "").want(t, 404)
	w.do(get, "/repos/octo-org/shop/pulls/x", w.token(""), "").want(t, 404)
	w.violated(Malformed)
}

func TestContentsThroughClient(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(), context.Background()
	file, _, _, err := c.Repositories.GetContents(ctx, "octo-org", "shop", "main.go", &github.RepositoryContentGetOptions{Ref: w.pull.HeadSHA()})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := file.GetContent(); err != nil || !strings.Contains(text, "drei") {
		t.Errorf("content %q, %v", text, err)
	}
	_, dir, _, err := c.Repositories.GetContents(ctx, "octo-org", "shop", "docs", nil)
	if err != nil || len(dir) != 1 || dir[0].GetType() != "dir" || dir[0].GetPath() != "docs/a" {
		t.Errorf("directory %v, %v", dir, err)
	}
	tree, _, err := c.Git.GetTree(ctx, "octo-org", "shop", "topic", true)
	if err != nil || len(tree.Entries) != 6 {
		t.Errorf("tree %v, %v", tree, err)
	}
	if top, _, err := c.Git.GetTree(ctx, "octo-org", "shop", "topic", false); err != nil || len(top.Entries) != 4 {
		t.Errorf("top of the tree %v, %v", top, err)
	}
	blob, _, err := c.Git.GetBlobRaw(ctx, "octo-org", "shop", file.GetSHA())
	if err != nil || !strings.Contains(string(blob), "drei") {
		t.Errorf("blob %q, %v", blob, err)
	}
	ref, _, err := c.Git.GetRef(ctx, "octo-org", "shop", "heads/topic")
	if err != nil || ref.GetObject().GetSHA() != w.pull.HeadSHA() {
		t.Errorf("ref %v, %v", ref, err)
	}
	token := w.token("")
	raw := w.do(get, "/repos/octo-org/shop/contents/README.md", token, "", "Accept: application/vnd.github.raw+json")
	if raw.status != 200 || string(raw.body) != "# Shop\n" {
		t.Errorf("raw file %d %q", raw.status, raw.body)
	}
	w.do(get, "/repos/octo-org/shop/contents/none", token, "").want(t, 404)
	w.do(get, "/repos/octo-org/shop/contents/main.go?ref=none", token, "").want(t, 404)
	w.do(get, "/repos/octo-org/shop/commits/none", token, "").want(t, 422)
	w.do(get, "/repos/octo-org/shop/git/ref/heads/none", token, "").want(t, 404)
	w.do(get, "/repos/octo-org/shop/compare/main...none", token, "").want(t, 404)
}

func TestLargeContents(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("0123456789abcdef", maxContentsFile/16) + "x"
	w.srv.Commit(w.repo, "main", "big", "alice", Files{"big.txt": Text(big)})
	r := w.do(get, "/repos/octo-org/shop/contents/big.txt", w.token(""), "")
	r.want(t, 200)
	if r.field("encoding") != "none" || r.field("content") != "" {
		t.Errorf("encoding %v", r.field("encoding"))
	}
	raw := w.do(get, "/repos/octo-org/shop/contents/big.txt", w.token(""), "", "Accept: application/vnd.github.raw+json")
	if string(raw.body) != big {
		t.Errorf("raw has %d bytes, want %d", len(raw.body), len(big))
	}
}

func TestPullFilesArePagedAndCutOff(t *testing.T) {
	w := newWorld(t)
	files := Files{}
	for i := range maxPullFiles + 5 {
		files[fmt.Sprintf("many/%04d.txt", i)] = Text("x\n")
	}
	many := w.srv.OpenPull(w.repo, Pull{Title: "Many"}, files)
	c, ctx := w.client(), context.Background()
	total, opts := 0, &github.ListOptions{PerPage: 100}
	for {
		page, resp, err := c.PullRequests.ListFiles(ctx, "octo-org", "shop", many.Number, opts)
		if err != nil {
			t.Fatal(err)
		}
		total += len(page)
		if resp.NextPage == 0 {
			break
		}
		opts.Page = resp.NextPage
	}
	if total != maxPullFiles {
		t.Errorf("%d files, want %d", total, maxPullFiles)
	}
	if r := w.do(get, fmt.Sprintf("/repos/octo-org/shop/pulls/%d/files", many.Number), w.token(""), ""); len(r.list(t)) != 30 {
		t.Errorf("%d files on a page by default, want 30", len(r.list(t)))
	}
	w.do(get, fmt.Sprintf("/repos/octo-org/shop/pulls/%d", many.Number), w.token(""), "", "Accept: application/vnd.github.diff").want(t, http.StatusNotAcceptable, "maximum number of files (300)")
}

// TestPatchesGoMissing is GitHub's silent cut past 20,000 lines in one answer.
func TestPatchesGoMissing(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("line\n", 15_000)
	p := w.srv.OpenPull(w.repo, Pull{Title: "Big"}, Files{"a.txt": Text(big), "b.txt": Text(big)})
	path := fmt.Sprintf("/repos/octo-org/shop/pulls/%d/files", p.Number)
	got := w.do(get, path, w.token(""), "").list(t)
	if got[0]["patch"] == nil || got[0]["additions"] != 15_000.0 {
		t.Error("the first file lost its patch")
	}
	if got[1]["patch"] != nil || got[1]["additions"] != 0.0 {
		t.Error("the second file kept its patch")
	}
	if got := w.do(get, path+"?per_page=1&page=2", w.token(""), "").list(t); got[0]["patch"] == nil {
		t.Error("a smaller page lacks the patch")
	}
	w.do(get, fmt.Sprintf("/repos/octo-org/shop/pulls/%d", p.Number), w.token(""), "", "Accept: application/vnd.github.v3.diff").want(t, http.StatusNotAcceptable, "maximum number of lines")
}

func TestPullLife(t *testing.T) {
	w := newWorld(t)
	first := w.pull.HeadSHA()
	second := w.srv.Push(w.pull, Files{"new.txt": Text("first\n")}, "Shorter")
	if w.pull.HeadSHA() != second || second == first {
		t.Fatalf("head %s after pushing %s", w.pull.HeadSHA(), second)
	}
	third := w.srv.ForcePush(w.pull, Files{"only.txt": Text("only\n")}, "Start over")
	files := w.do(get, "/repos/octo-org/shop/pulls/1/files", w.token(""), "").list(t)
	if len(files) != 1 || files[0]["filename"] != "only.txt" || w.pull.HeadSHA() != third {
		t.Errorf("files after a force push: %v", files)
	}
	// What lands on the base does not become part of the change.
	w.srv.Commit(w.repo, "main", "meanwhile", "bob", Files{"main-only.txt": Text("m\n")})
	if files := w.do(get, "/repos/octo-org/shop/pulls/1/files", w.token(""), "").list(t); len(files) != 1 {
		t.Errorf("files after a commit to the base: %v", files)
	}
	w.srv.Push(w.pull, Files{"only.txt": Text("only, again\n")}, "Again")
	if files := w.do(get, "/repos/octo-org/shop/pulls/1/files", w.token(""), "").list(t); len(files) != 1 {
		t.Errorf("files after a push upon that: %v", files)
	}
	base := w.do(get, "/repos/octo-org/shop/pulls/1", w.token(""), "").field("base").(map[string]any)
	if base["sha"] != w.repo.branches["main"] {
		t.Errorf("base %v, want the tip of main", base["sha"])
	}
	r := w.do(get, "/repos/octo-org/shop/compare/main...topic", w.token(""), "")
	r.want(t, 200, `"status":"diverged"`)
	if files := r.field("files").([]any); len(files) != 1 {
		t.Errorf("files of the comparison: %v", files)
	}
	w.clock.advance(time.Minute)
	w.srv.ClosePull(w.pull, true, "alice")
	if w.pull.State() != "merged" {
		t.Errorf("state %s", w.pull.State())
	}
	r = w.do(get, "/repos/octo-org/shop/pulls/1", w.token(""), "")
	r.want(t, 200, `"merged":true`, `"merged_by":{`, `"closed_at":"2026-03-01T12:01:00Z"`)
	w.do(get, "/repos/octo-org/shop/contents/only.txt", w.token(""), "").want(t, 200)
	w.do(get, "/repos/octo-org/shop/contents/main-only.txt", w.token(""), "").want(t, 200)
	if open := w.do(get, "/repos/octo-org/shop/pulls", w.token(""), "").list(t); len(open) != 0 {
		t.Errorf("%d open pull requests", len(open))
	}
	if all := w.do(get, "/repos/octo-org/shop/pulls?state=all&head=octo-org:topic&base=main", w.token(""), "").list(t); len(all) != 1 {
		t.Errorf("%d pull requests", len(all))
	}
}

func TestForkPull(t *testing.T) {
	w := newWorld(t)
	fork := w.srv.Fork(w.repo, "mallory")
	p := w.srv.OpenPull(w.repo, Pull{Title: "From outside", From: fork, Author: "mallory", Head: "patch"}, Files{"evil.txt": Text("x\n")})
	token := w.token("")
	r := w.do(get, "/repos/octo-org/shop/pulls/2", token, "")
	r.want(t, 200, `"full_name":"mallory/shop"`, `"label":"mallory:patch"`)
	// The head can be read through the base repository, not through the fork.
	w.do(get, "/repos/octo-org/shop/contents/evil.txt?ref="+p.HeadSHA(), token, "").want(t, 200)
	w.do(get, "/repos/octo-org/shop/contents/evil.txt?ref=refs/pull/2/head", token, "").want(t, 200)
	w.do(get, "/repos/mallory/shop/contents/evil.txt", token, "").want(t, 404)
	w.do(get, "/repos/octo-org/shop/compare/main...mallory:patch", token, "").want(t, 200, `"ahead_by":1`)
	// Check events do not know pull requests from forks.
	run := w.do(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":"review","head_sha":%q}`, p.HeadSHA()))
	run.want(t, 201, `"pull_requests":[]`)
	suites := w.do(get, "/repos/octo-org/shop/commits/"+p.HeadSHA()+"/check-suites", token, "")
	suites.want(t, 200, `"head_branch":null`)
}

func TestEditThroughAPI(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(), context.Background()
	pull, _, err := c.PullRequests.Edit(ctx, "octo-org", "shop", 1, &github.PullRequest{Title: github.String("Better"), State: github.String("closed")})
	if err != nil || pull.GetTitle() != "Better" || pull.GetState() != "closed" {
		t.Errorf("pull request %v, %v", pull, err)
	}
	labels, _, err := c.Issues.AddLabelsToIssue(ctx, "octo-org", "shop", 1, []string{"bug", "risky"})
	if err != nil || len(labels) != 2 {
		t.Fatalf("labels %v, %v", labels, err)
	}
	if _, err := c.Issues.RemoveLabelForIssue(ctx, "octo-org", "shop", 1, "bug"); err != nil {
		t.Fatal(err)
	}
	labels, _, err = c.Issues.ListLabelsByIssue(ctx, "octo-org", "shop", 1, nil)
	if err != nil || len(labels) != 1 || labels[0].GetName() != "risky" {
		t.Errorf("labels %v, %v", labels, err)
	}
	token := w.token("")
	w.do(del, "/repos/octo-org/shop/issues/1/labels/none", token, "").want(t, 404, "Label does not exist")
	w.do(post, "/repos/octo-org/shop/issues/1/labels", token, `{"labels":["a",{"name":"b"}]}`).want(t, 200, `"name":"b"`)
	w.do(edit, "/repos/octo-org/shop/pulls/1", token, `{"title":""}`).want(t, 422)
	w.do(edit, "/repos/octo-org/shop/pulls/1", token, fmt.Sprintf(`{"body":%q}`, strings.Repeat("x", maxBody+1))).want(t, 422, "maximum is 65536 characters")
	w.violated(OverLimit)
}

func TestStatuses(t *testing.T) {
	w := newWorld(t)
	w.srv.Grant(w.inst, map[string]string{"statuses": "write"})
	token, path := w.token(""), "/repos/octo-org/shop/statuses/"
	w.do(post, path+w.pull.HeadSHA(), token, `{"state":"success","description":"fine","target_url":"https://example.com","context":"ci"}`).want(t, 201)
	w.do(post, path+w.pull.HeadSHA(), token, fmt.Sprintf(`{"state":"success","description":%q}`, strings.Repeat("x", maxStatusDescription+1))).want(t, 422, "too long")
	w.violated(OverLimit)
	w.do(post, path+w.pull.HeadSHA(), token, `{"state":"great"}`).want(t, 422)
	w.violated(Malformed)
	w.do(post, path+zeroSHA, token, `{"state":"success"}`).want(t, 422, "No commit found")
}

func TestRepositories(t *testing.T) {
	w := newWorld(t)
	w.srv.AddRepo("octo-org/trunk", Files{"a": Text("a")}, DefaultBranch("trunk"), Private())
	token := w.token("")
	w.do(get, "/repos/OCTO-org/Trunk", token, "").want(t, 200, `"default_branch":"trunk"`, `"private":true`, `"visibility":"private"`)
	w.do(get, "/repos/octo-org/trunk/contents/a", token, "").want(t, 200)
	w.srv.DeleteRepo(w.repo)
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 404)
	for name, misuse := range map[string]func(){
		"no owner":          func() { w.srv.AddRepo("trunk", nil) },
		"twice":             func() { w.srv.AddRepo("octo-org/trunk", nil) },
		"unknown base":      func() { w.srv.OpenPull(w.repo, Pull{Base: "none"}, Files{"a": Text("b")}) },
		"nothing to merge":  func() { w.srv.OpenPull(w.repo, Pull{Head: "main"}, nil) },
		"not a fork":        func() { w.srv.OpenPull(w.repo, Pull{From: w.srv.AddRepo("a/b", nil)}, Files{"a": Text("b")}) },
		"unknown check run": func() { w.srv.RerequestCheckRun(1, "alice") },
		"unknown comment":   func() { w.srv.EditComment(1, "alice", "x") },
		"unknown role":      func() { w.srv.SetPermission(w.repo, "alice", "king") },
		"unknown branch":    func() { w.srv.Retarget(w.pull, "none", "alice") },
		"same app twice":    func() { w.srv.AddApp(App{ID: w.app.ID, Key: testKey()}) },
		"no such repo":      func() { w.srv.Install(w.app, "octo-org", "none") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse()
		})
	}
	// A panic must not leave the server locked.
	w.do(get, "/repos/octo-org/trunk", token, "").want(t, 200)
}
