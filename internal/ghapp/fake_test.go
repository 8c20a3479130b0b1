package ghapp

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/internal/ghfake"
	"assay/review"
)

// world is a fake GitHub with one pull request, and an App of it.
type world struct {
	t    *testing.T
	fake *ghfake.Server
	app  *ghfake.App
	inst *ghfake.Installation
	repo *ghfake.Repo
	pull *ghfake.PullRequest
	ours *App
	// violations are those that a test provokes on purpose.
	violations int
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	fake, err := ghfake.New(ghfake.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	w := &world{t: t, fake: fake}
	t.Cleanup(func() {
		fake.Close()
		server.Close()
		if v := fake.Violations(); len(v) != w.violations {
			t.Errorf("violations: %v", v)
		}
	})
	if err := fake.SetURLs(server.URL, server.URL); err != nil {
		t.Fatal(err)
	}
	w.app = fake.AddApp(ghfake.App{ID: testApp, Slug: "assay", Key: testKey()})
	w.repo = fake.AddRepo("octo/hello", ghfake.Files{
		"main.go": ghfake.Text("package main\n\nfunc main() {}\n"), "docs/a.md": ghfake.Text("a\n"),
		"run.sh": {Data: "#!/bin/sh\n", Mode: ghfake.ModeExecutable},
	})
	w.inst = fake.Install(w.app, "octo")
	w.pull = fake.OpenPull(w.repo, ghfake.Pull{Title: "Add b", Head: "topic", Author: "mona"}, ghfake.Files{
		"b.go": ghfake.Text("package main\n\nvar b = 1\n"), "main.go": ghfake.Text("package main\n\nfunc main() { b++ }\n"),
	})
	w.ours = quick(t, Config{APIURL: server.URL + "/api/v3"}, change...)
	return w
}

// hands are the app's on the repository.
func (w *world) hands() *Repository {
	return w.ours.Repository(w.inst.ID, review.Repo{ID: w.repo.ID, Owner: "octo", Name: "hello", DefaultBranch: "main"}, ForReview)
}

// change is the pull request's change as it stands.
func (w *world) change() *review.Change {
	w.t.Helper()
	r := w.hands()
	pull, err := r.Pull(within(w.t), w.pull.Number)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := r.Change(within(w.t), pull)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// requests are the API's routes that were asked for since the last call, those
// of tokens left out.
func (w *world) requests() []ghfake.Request {
	var out []ghfake.Request
	for _, r := range w.fake.Requests() {
		if !strings.HasSuffix(r.Route, "/access_tokens") {
			out = append(out, r)
		}
	}
	return out
}

func (w *world) count(route string) int {
	n := 0
	for _, r := range w.requests() {
		if r.Route == route {
			n++
		}
	}
	return n
}

func TestPermission(t *testing.T) {
	w := newWorld(t)
	for login, role := range map[string]string{"ada": "admin", "max": "maintain", "wen": "write", "tri": "triage", "rea": "read", "non": "none"} {
		w.fake.SetPermission(w.repo, login, role)
		if got, err := w.hands().Permission(within(t), login); got != role || err != nil {
			t.Errorf("%s: %q, %v; want %q", login, got, err, role)
		}
	}
	if got, err := w.hands().Permission(within(t), "nobody-at-all"); got != "none" || err != nil {
		t.Errorf("a login that nobody has: %q, %v", got, err)
	}
	// It is asked anew: a right that was taken away is gone at once.
	w.fake.SetPermission(w.repo, "ada", "read")
	if got, err := w.hands().Permission(within(t), "ada"); got != "read" || err != nil {
		t.Errorf("after it was taken away: %q, %v", got, err)
	}
	for _, login := range []string{"", "..", "a/b", "a?b"} {
		_, err := w.hands().Permission(within(t), login)
		wantKind(t, err, fault.Invalid)
	}
}

// TestPermissionOfRoles holds what is made of answers that the fake does not
// give.
func TestPermissionOfRoles(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		status int
		want   string
		kind   fault.Kind
	}{
		"a role of an organisation's own": {`{"permission":"write","role_name":"security-reviewer"}`, 200, "write", 0},
		"an older server":                 {`{"permission":"admin"}`, 200, "admin", 0},
		"nothing":                         {`{}`, 200, "", fault.Transient},
		"null":                            {`null`, 200, "", fault.Transient},
		"an unknown word":                 {`{"permission":"owner","role_name":"owner"}`, 200, "", fault.Transient},
		"a repository out of reach":       {`{"message":"Not Found"}`, 404, "", fault.Gone},
		"forbidden":                       {`{"message":"Resource not accessible by integration"}`, 403, "", fault.Unauthorized},
		"limited":                         {`{"message":"You have exceeded a secondary rate limit"}`, 403, "", fault.RateLimited},
		"down":                            {`{}`, 502, "", fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			r := quick(t, Config{Transport: withTokens(answering(tt.status, tt.answer))}).Repository(testInstall, testRepo, ForReview)
			got, err := r.Permission(within(t), "mona")
			if got != tt.want || (err == nil) != (tt.want != "") || err != nil && fault.KindOf(err) != tt.kind {
				t.Errorf("got %q, %v (%v)", got, err, fault.KindOf(err))
			}
		})
	}
}

func TestReact(t *testing.T) {
	w := newWorld(t)
	id := w.fake.Comment(w.pull, "mona", "/assay review")
	lost := w.fake.Misbehave(ghfake.Fault{Method: "POST", Pattern: "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", Times: 1, After: true, Drop: true})
	if err := w.hands().React(within(t), id, "eyes"); err != nil {
		t.Fatal(err)
	}
	comments := w.fake.Comments(w.pull)
	if got := comments[0].Reactions; lost.Hits() != 1 || len(got) != 1 || got[0].Content != "eyes" || got[0].Author != "assay[bot]" {
		t.Errorf("reactions %+v after %d lost answers", got, lost.Hits())
	}
	wantKind(t, w.hands().React(within(t), 999999, "eyes"), fault.Gone)
	for _, r := range w.fake.Requests() {
		if _, asked := r.Permissions["issues"]; asked && r.Permissions["issues"] != "read" {
			t.Errorf("a reaction took issues: %s", r.Permissions["issues"])
		}
	}
}

func TestBranchHead(t *testing.T) {
	w := newWorld(t)
	r := w.hands()
	sha := w.fake.Commit(w.repo, "release/1.0", "cut", "mona", ghfake.Files{"v": ghfake.Text("1")})
	for range 2 {
		if got, err := r.BranchHead(within(t), "release/1.0"); got != sha || err != nil {
			t.Errorf("got %s, %v; want %s", got, err, sha)
		}
	}
	statuses := ""
	for _, q := range w.requests() {
		if strings.Contains(q.Route, "/git/ref/") {
			statuses += " " + string(rune('0'+q.Status/100))
		}
	}
	if statuses != " 2 3" {
		t.Errorf("answered%s, want the second to confirm the first", statuses)
	}
	moved := w.fake.Commit(w.repo, "release/1.0", "fix", "mona", ghfake.Files{"v": ghfake.Text("2")})
	if got, err := r.BranchHead(within(t), "release/1.0"); got != moved || err != nil {
		t.Errorf("after a push: %s, %v; want %s", got, err, moved)
	}
	_, err := r.BranchHead(within(t), "nowhere")
	wantKind(t, err, fault.Gone)
	for _, bad := range []string{"", "a//b", "../../x", "/a"} {
		_, err := r.BranchHead(within(t), bad)
		wantKind(t, err, fault.Invalid)
	}
}

func TestInstallationOf(t *testing.T) {
	w := newWorld(t)
	private := w.fake.AddRepo("octo/secret", nil, ghfake.Private(), ghfake.DefaultBranch("trunk"))
	id, repo, err := w.ours.InstallationOf(within(t), "octo", "secret")
	want := review.Repo{ID: private.ID, Owner: "octo", Name: "secret", DefaultBranch: "trunk", Private: true}
	if err != nil || id != w.inst.ID || repo != want {
		t.Errorf("installation %d, %+v, %v", id, repo, err)
	}
	for _, q := range w.requests() {
		if q.Route == "/repos/{owner}/{repo}" {
			if d := cmp.Diff(map[string]string{"metadata": "read"}, q.Permissions); d != "" || len(q.Repositories) != 1 {
				t.Errorf("asked with %v on %v", q.Permissions, q.Repositories)
			}
		}
	}
	w.fake.AddRepo("other/place", nil)
	_, _, err = w.ours.InstallationOf(within(t), "other", "place")
	wantKind(t, err, fault.Gone)
	_, _, err = w.ours.InstallationOf(within(t), "octo", "../x")
	wantKind(t, err, fault.Invalid)
	w.fake.Suspend(w.inst, "ada")
	_, _, err = w.ours.InstallationOf(within(t), "octo", "secret")
	wantKind(t, err, fault.Gone)
}

// push is the change of commits that are no pull request's.
func (w *world) push(base, head string) review.Pull {
	return review.Pull{HeadRef: "main", BaseSHA: base, HeadSHA: head}
}

func TestChangeOfCommits(t *testing.T) {
	w := newWorld(t)
	r := w.hands()
	base, err := r.BranchHead(within(t), "main")
	if err != nil {
		t.Fatal(err)
	}
	head := w.fake.Commit(w.repo, "main", "two files", "mona", ghfake.Files{
		"a.go": ghfake.Text("package main\n"), "docs/a.md": ghfake.Deleted(),
	})
	c, err := r.Change(within(t), w.push(base, head))
	if err != nil {
		t.Fatal(err)
	}
	want := []review.File{
		{Path: "a.go", Status: review.Added, Additions: 1, Hunks: []review.Hunk{{NewStart: 1, NewLines: 1, Lines: []review.Line{{Op: review.Add, New: 1, Text: "package main"}}}}},
		{Path: "docs/a.md", Status: review.Removed, Deletions: 1, Hunks: []review.Hunk{{OldStart: 1, OldLines: 1, Lines: []review.Line{{Op: review.Delete, Old: 1, Text: "a"}}}}},
	}
	if d := cmp.Diff(want, c.Files); d != "" || c.Truncated != "" {
		t.Errorf("truncated %q, files %s", c.Truncated, d)
	}
	if data, err := c.Contents.Read(within(t), review.Base, "docs/a.md"); string(data) != "a\n" || err != nil {
		t.Errorf("base: %q, %v", data, err)
	}
	if n := w.count("/repos/{owner}/{repo}/compare/{basehead:.+}"); n != 1 {
		t.Errorf("compared %d times, want once for files and base", n)
	}
	commits, err := c.Host.Commits(within(t))
	if err != nil || len(commits) != 1 || commits[0].Message != "two files" || commits[0].Author.Login != "mona" || commits[0].SHA != head {
		t.Errorf("commits %+v, %v", commits, err)
	}
	ready, err := c.Host.Readiness(within(t))
	if err != nil || len(ready.Unknown) != 1 || ready.Behind != -1 || ready.Mergeable != "UNKNOWN" {
		t.Errorf("readiness %+v, %v", ready, err)
	}
}

// TestChangeWithoutBase holds what is asked of a repository as a whole.
func TestChangeWithoutBase(t *testing.T) {
	w := newWorld(t)
	for _, base := range []string{"", strings.Repeat("0", 40)} {
		head, err := w.hands().BranchHead(within(t), "main")
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.hands().Change(within(t), w.push(base, head))
		if err != nil || len(c.Files) != 0 || c.Truncated != "" {
			t.Fatalf("change %+v, %v", c, err)
		}
		if data, err := c.Contents.Read(within(t), review.Head, "docs/a.md"); string(data) != "a\n" || err != nil {
			t.Errorf("head: %q, %v", data, err)
		}
		if _, err := c.Contents.Read(within(t), review.Base, "docs/a.md"); !errors.Is(err, review.ErrNotExist) {
			t.Errorf("base: %v", err)
		}
		if entries, err := c.Tree.List(within(t), review.Base); len(entries) != 0 || err != nil {
			t.Errorf("tree of the base: %v, %v", entries, err)
		}
		if commits, err := c.Host.Commits(within(t)); len(commits) != 0 || err != nil {
			t.Errorf("commits %v, %v", commits, err)
		}
	}
	if n := w.count("/repos/{owner}/{repo}/compare/{basehead:.+}"); n != 0 {
		t.Errorf("compared %d times with nothing", n)
	}
	for _, bad := range []review.Pull{w.push("", ""), w.push("main", "main"), w.push("x", strings.Repeat("a", 40))} {
		_, err := w.hands().Change(within(t), bad)
		wantKind(t, err, fault.Invalid)
	}
}

func TestChangeOfManyFilesOfCommits(t *testing.T) {
	w := newWorld(t)
	base, err := w.hands().BranchHead(within(t), "main")
	if err != nil {
		t.Fatal(err)
	}
	files := ghfake.Files{}
	for i := range 301 {
		files["many/"+strings.Repeat("x", i+1)] = ghfake.Text("x\n")
	}
	head := w.fake.Commit(w.repo, "main", "many", "mona", files)
	c, err := w.hands().Change(within(t), w.push(base, head))
	if err != nil || len(c.Files) != 300 || c.Truncated != "GitHub lists no more than 300 changed files of a comparison" {
		t.Errorf("%d files, truncated %q, %v", len(c.Files), c.Truncated, err)
	}
}

func TestChangeOfUnrelatedCommits(t *testing.T) {
	r := quick(t, Config{Transport: withTokens(answering(404, `{"message":"No common ancestor between a and b."}`))}).Repository(testInstall, testRepo, ForReview)
	c, err := r.Change(within(t), review.Pull{BaseSHA: baseSHA, HeadSHA: headSHA})
	if err != nil || c.Truncated == "" {
		t.Errorf("%+v, %v", c, err)
	}
	r = quick(t, Config{Transport: withTokens(answering(404, `{"message":"Not Found"}`))}).Repository(testInstall, testRepo, ForReview)
	_, err = r.Change(within(t), review.Pull{BaseSHA: baseSHA, HeadSHA: headSHA})
	wantKind(t, err, fault.Gone)
}

func TestTree(t *testing.T) {
	w := newWorld(t)
	sub := strings.Repeat("ab", 20)
	w.fake.Push(w.pull, ghfake.Files{"link": {Data: "b.go", Mode: ghfake.ModeSymlink}, "lib": {Data: sub, Mode: ghfake.ModeSubmodule}}, "more")
	c := w.change()
	type seen struct {
		Path, Mode string
		Size       int64
	}
	list := func(side review.Side) []seen {
		t.Helper()
		entries, err := c.Tree.List(within(t), side)
		if err != nil {
			t.Fatal(err)
		}
		var out []seen
		for _, e := range entries {
			if e.SHA == "" {
				t.Errorf("%s has no SHA", e.Path)
			}
			out = append(out, seen{e.Path, e.Mode, e.Size})
		}
		return out
	}
	head := []seen{
		{"b.go", "100644", 24}, {"docs/a.md", "100644", 2}, {"lib", "160000", -1}, {"link", "120000", 4},
		{"main.go", "100644", 34}, {"run.sh", "100755", 10},
	}
	for range 2 {
		if d := cmp.Diff(head, list(review.Head)); d != "" {
			t.Error(d)
		}
	}
	base := []seen{{"docs/a.md", "100644", 2}, {"main.go", "100644", 29}, {"run.sh", "100755", 10}}
	if d := cmp.Diff(base, list(review.Base)); d != "" {
		t.Error(d)
	}
	if n := w.count("/repos/{owner}/{repo}/git/trees/{tree_sha}"); n != 2 {
		t.Errorf("%d requests for two trees", n)
	}
}

func TestTreeTooLarge(t *testing.T) {
	calls := 0
	r := quick(t, Config{Transport: withTokens(counting(&calls, answering(200, `{"sha":"`+headSHA+`","truncated":true,"tree":[]}`)))}).Repository(testInstall, testRepo, ForReview)
	_, listed := r.emptyChange(testPull)
	for range 2 {
		if _, err := (&tree{listed}).List(within(t), review.Head); !errors.Is(err, review.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("asked %d times for what stays", calls)
	}
}
