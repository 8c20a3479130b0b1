package e2e

import (
	"testing"

	"assay/internal/ghfake"
)

const mild = "version: 1\npipelines:\n  review:\n    on: [pull_request.opened]\n    agents: [hygiene]\n    gate: {fail_on: never}\n"

// TestRetarget holds that a pull request cannot be reviewed by the config of one
// branch and merged into another: what it passed there does not count here.
func TestRetarget(t *testing.T) {
	w := newWorld(t)
	w.gh.Commit(w.repo, "mild", "Configure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text(mild)})
	w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose", Base: "mild"}, conflict("a.go"))
	first := w.check(pull)
	if first.Conclusion != "neutral" {
		t.Fatalf("check: %s, %q", first.Conclusion, first.Title)
	}
	w.gh.EditPull(pull, "Choose one", "", "octocat")
	w.gh.Retarget(pull, "main", "octocat")
	w.until("the change is reviewed for its new base", func() bool {
		checks := w.gh.CheckRuns(w.repo, pull.HeadSHA())
		return len(checks) == 1 && checks[0].ID == first.ID && checks[0].Conclusion == "failure"
	})
}

// TestSharedHead holds that a head which two pull requests share does not pass
// for the one by the config of the other.
func TestSharedHead(t *testing.T) {
	w := newWorld(t)
	w.gh.Commit(w.repo, "mild", "Configure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text(mild)})
	w.serve()
	strict := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose", Head: "sly"}, conflict("a.go"))
	w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose", Head: "sly", Base: "mild"}, nil)
	w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose", Head: "sly", Base: w.branch("other"), Draft: true}, nil)
	w.flush()
	w.idle()
	if check := w.check(strict); check.Conclusion != "failure" {
		t.Errorf("check: %s, %q", check.Conclusion, check.Title)
	}
	db := w.open()
	defer db.Close()
	var reviewed int
	if err := db.QueryRow(`SELECT count(DISTINCT number) FROM runs WHERE status = 'done'`).Scan(&reviewed); err != nil || reviewed != 2 {
		t.Errorf("%d pull requests were reviewed, want the 2 that are no drafts; %v", reviewed, err)
	}
}

// branch makes a branch off main.
func (w *world) branch(name string) string {
	w.gh.Commit(w.repo, name, "Branch off", "octocat", ghfake.Files{"OTHER.md": ghfake.Text("x\n")})
	return name
}

// TestForkCommitLate holds that a pull request is reviewed although its commit,
// pushed to a fork, cannot be reached yet when the event comes.
func TestForkCommitLate(t *testing.T) {
	w := newWorld(t)
	w.serve()
	late := w.gh.Misbehave(ghfake.Fault{Method: "POST", Pattern: "/repos/{owner}/{repo}/check-runs", Status: 422, Body: `{"message":"No commit found for SHA: x"}`, Times: 2})
	fork := w.gh.Fork(w.repo, "stranger")
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "From outside", From: fork, Author: "stranger"}, conflict("a.go"))
	if check := w.check(pull); check.Conclusion != "failure" || late.Hits() != 2 {
		t.Errorf("check: %s, %q, refused %d times", check.Conclusion, check.Title, late.Hits())
	}
}
