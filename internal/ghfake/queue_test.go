package ghfake

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told are the payloads of an event, by action.
func (h *hook) told(t *testing.T, event string) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, r := range h.all() {
		if r.header.Get("X-GitHub-Event") != event {
			continue
		}
		var body map[string]any
		if err := json.Unmarshal(r.body, &body); err != nil {
			t.Fatal(err)
		}
		action, _ := body["action"].(string)
		out[action] = body
	}
	return out
}

func TestMergeQueue(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	base := w.repo.branches["main"]
	g := w.srv.QueueMerge(w.pull, "alice")
	flush(t, w.srv)
	got, _ := hook.told(t, "merge_group")["checks_requested"]["merge_group"].(map[string]any)
	want := map[string]any{
		"head_sha": g.HeadSHA, "head_ref": "refs/heads/gh-readonly-queue/main/pr-1-" + base,
		"base_sha": base, "base_ref": "refs/heads/main", "head_commit": got["head_commit"],
	}
	if d := cmp.Diff(want, got); d != "" || got["head_commit"] == nil {
		t.Error(d)
	}
	if suite := hook.told(t, "check_suite")["requested"]; suite == nil || w.pull.State() != "open" {
		t.Error("no suite was asked for, or the pull request is not open")
	}
	files := w.repo.objects.files(w.repo.objects.treeOf(g.HeadSHA))
	if _, has := files["new.txt"]; !has {
		t.Error("the group lacks the pull request's file")
	}
	w.srv.LeaveQueue(g, "merged", "alice")
	flush(t, w.srv)
	if reason := hook.told(t, "merge_group")["destroyed"]["reason"]; reason != "merged" {
		t.Errorf("reason %v", reason)
	}
	w.do(get, "/repos/octo-org/shop/git/ref/heads/"+g.HeadRef, w.token(""), "").want(t, 404)
}

func TestChecksOfOtherApps(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	ci := w.srv.AddApp(App{Slug: "ci", Key: testKey()})
	w.srv.Install(ci, "octo-org")
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	w.srv.RunCheck(ci, w.repo, w.pull.HeadSHA(), "build", "failure")
	flush(t, w.srv)
	suite, _ := hook.told(t, "check_suite")["completed"]["check_suite"].(map[string]any)
	app, _ := suite["app"].(map[string]any)
	if app["slug"] != "ci" || suite["conclusion"] != "failure" || suite["head_sha"] != w.pull.HeadSHA() {
		t.Errorf("suite %v", suite)
	}
}

func TestSelectRepos(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	other := w.srv.AddRepo("octo-org/other", nil)
	app := w.srv.AddApp(App{Slug: "second", Key: testKey(), HookURL: hook.URL})
	inst := w.srv.Install(app, "octo-org", "shop")
	w.srv.SelectRepos(inst, []*Repo{other}, []*Repo{w.repo}, "alice")
	flush(t, w.srv)
	for action, name := range map[string]string{"added": "octo-org/other", "removed": "octo-org/shop"} {
		body := hook.told(t, "installation_repositories")[action]
		if list := jsonOf(t, body["repositories_"+action]); !strings.Contains(list, name) || jsonOf(t, body["repositories_added"]) == jsonOf(t, body["repositories_removed"]) {
			t.Errorf("%s: %v", action, body)
		}
	}
	if !inst.has(other) || inst.has(w.repo) {
		t.Error("the selection is as before")
	}
}

// TestBranchesAndRules holds the answers to the description, which the world
// does for every answer.
func TestBranchesAndRules(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	w.do(get, "/repos/octo-org/shop/rules/branches/main", token, "").want(t, 200, "[]")
	w.do(get, "/repos/octo-org/shop/branches/main", token, "").want(t, 200, `"protected":false`)
	w.do(get, "/repos/octo-org/shop/branches/no/where", token, "").want(t, 404)
	w.srv.SetRules(w.repo, "main", Demands{Checks: []string{"build"}, Approvals: 2})
	w.do(get, "/repos/octo-org/shop/rules/branches/main", token, "").want(t, 200, `"required_status_checks"`, `"required_approving_review_count":2`)
	w.srv.Protect(w.repo, "main", Demands{Checks: []string{"lint"}})
	w.do(get, "/repos/octo-org/shop/branches/main", token, "").want(t, 200, `"protected":true`, `"contexts":["lint"]`)
	w.srv.Describe(w.repo, About{Description: "A shop", License: "MIT", Archived: true})
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 200, `"spdx_id":"MIT"`, `"archived":true`, `"A shop"`)
}

func TestMergeability(t *testing.T) {
	w := newWorld(t)
	state := func() string { return w.pull.mergeability() }
	if got := state(); got != "MERGEABLE" {
		t.Error(got)
	}
	w.srv.Commit(w.repo, "main", "elsewhere", "bob", Files{"README.md": Text("# Market\n")})
	if got := state(); got != "MERGEABLE" {
		t.Error(got)
	}
	w.srv.Commit(w.repo, "main", "same file", "bob", Files{"main.go": Text("package other\n")})
	if got := state(); got != "CONFLICTING" {
		t.Error(got)
	}
	w.srv.SetMergeable(w.pull, "UNKNOWN")
	if got := state(); got != "UNKNOWN" {
		t.Error(got)
	}
}

func TestDecision(t *testing.T) {
	w := newWorld(t)
	said := func(author, state string) string {
		w.srv.SubmitReview(w.pull, Review{Author: author, State: state, Body: "x"})
		return w.pull.decision()
	}
	if got := said("bob", "APPROVED"); got != "" {
		t.Errorf("nothing is demanded: %q", got)
	}
	w.srv.SetRules(w.repo, "main", Demands{Approvals: 2})
	for _, tt := range [][3]string{
		{"bob", "COMMENTED", "REVIEW_REQUIRED"}, {"eve", "CHANGES_REQUESTED", "CHANGES_REQUESTED"}, {"eve", "APPROVED", "APPROVED"},
	} {
		if got := said(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%s says %s: %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}
