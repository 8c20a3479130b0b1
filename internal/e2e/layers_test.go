package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/ghfake"
)

// TestLayers holds that the operator's, the organisation's and the repository's
// files are put together by the whole service, and that locks hold.
func TestLayers(t *testing.T) {
	w := newWorld(t)
	org := w.gh.AddRepo("octo-org/.github", ghfake.Files{"assay.yml": ghfake.Text("version: 1\npipelines:\n  review: {gate: {fail_on: never}}\n")})
	w.gh.SelectRepos(w.inst, []*ghfake.Repo{org}, nil, "octocat")
	operator := filepath.Join(w.dir, "operator.yml")
	write := func(text string) {
		if err := os.WriteFile(operator, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("version: 1\npipelines:\n  review: {agnets: [hygiene]}\n")
	refused := exec.Command(binary, "serve")
	refused.Env = w.env("ASSAY_CONFIG=" + operator)
	if out, err := refused.CombinedOutput(); err == nil || !strings.Contains(string(out), "operator.yml:3:12: ") || !strings.Contains(string(out), "did you mean") {
		t.Errorf("a bad operator's file: %v, %s", err, out)
	}

	write("version: 1\noperator: {lock: [pipelines.review.agents]}\npipelines:\n  review: {description: Ours, agents: [hygiene]}\n")
	w.serve("ASSAY_CONFIG=" + operator)
	if status, body := w.get("/api/orchestrator/config"); status != 200 || !strings.Contains(body, `"description":"Ours"`) {
		t.Errorf("strategies: %d %s", status, body)
	}
	// The organisation's gate never fails.
	if check := w.check(w.gh.OpenPull(w.repo, ghfake.Pull{Title: "One"}, conflict("a.go"))); check.Conclusion != "neutral" || !strings.Contains(check.Title, "1 high") {
		t.Errorf("check by the organisation's config: %s, %q", check.Conclusion, check.Title)
	}
	// The repository's goes before it.
	w.gh.Commit(w.repo, "main", "Configure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text("version: 1\npipelines:\n  review: {gate: {fail_on: high}}\n")})
	if check := w.check(w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Two"}, conflict("b.go"))); check.Conclusion != "failure" {
		t.Errorf("check by the repository's config: %s, %q", check.Conclusion, check.Title)
	}
	// What is locked is not the repository's to say: the file is left out.
	w.gh.Commit(w.repo, "main", "Reconfigure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text("version: 1\npipelines:\n  review: {agents: [secrets], gate: {fail_on: high}}\n")})
	if check := w.check(w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Three"}, conflict("c.go"))); check.Conclusion != "neutral" || !strings.Contains(check.Summary, "locked by the operator") {
		t.Errorf("check with what is locked: %s, %q", check.Conclusion, check.Summary)
	}
}
