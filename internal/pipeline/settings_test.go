package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/review"
	"assay/strategy"
)

// checked reviews the head and returns its run and check.
func (w *world) checked(action, sha string) (review.Run, *review.CheckRun) {
	w.t.Helper()
	w.decide(w.deliver(action, sha))
	runs, err := w.store.Runs(w.t.Context(), "", 1)
	if err != nil || len(runs) == 0 {
		w.t.Fatalf("%d runs, %v", len(runs), err)
	}
	if !runs[0].Status.Final() {
		if err := w.p.Run(w.t.Context(), runs[0].ID); err != nil {
			w.t.Fatal(err)
		}
	}
	r, err := w.store.Run(w.t.Context(), runs[0].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Run, w.checks[r.CheckID]
}

const own = "version: 1\npipelines:\n  review:\n    agents: [finder]\n"

// TestLayers: each layer is over the one below, the operator's locks hold, and
// a bad file is left out alone, named, until the next good one.
func TestLayers(t *testing.T) {
	w := newWorld(t)
	w.p.layers.operator = &strategy.Layer{Kind: strategy.Operator, Path: "/etc/assay.yml", Data: []byte("version: 1\noperator: {lock: [pipelines.review.gate.fail_on]}\npipelines:\n  review: {agents: [finder], gate: {fail_on: critical}}\n")}
	steps := []struct {
		name, org, own string
		conclusion     review.Conclusion
		layer          string // of the problem
	}{
		{"the operator's", "", "", review.ConclusionSuccess, ""},
		{"the organisation's", "version: 1\npipelines:\n  review: {gate: {fail_on: low}}\n", "", review.ConclusionNeutral, "organisation"},
		{"the repository's", "", "version: 1\npipelines:\n  review: {gate: {fail_on: low}}\n", review.ConclusionNeutral, ""},
		{"good again", "", "version: 1\npipelines:\n  review: {description: Good}\n", review.ConclusionSuccess, ""},
		{"duplicate keys", "", "version: 1\nversion: 1\n", review.ConclusionNeutral, ""},
		{"an alias bomb", "", "version: 1\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", review.ConclusionNeutral, ""},
		{"2 MB", "", "version: 1\n" + strings.Repeat("# x\n", 512<<10), review.ConclusionNeutral, ""},
		{"good at last", "", own, review.ConclusionSuccess, ""},
	}
	for i, s := range steps {
		w.org, w.config = s.org, s.own
		w.p.layers.orgs.Clear()
		r, check := w.checked("synchronize", head(fmt.Sprint(i)))
		if check.Conclusion != s.conclusion || (len(r.Problems) > 0) != (s.conclusion == review.ConclusionNeutral) {
			t.Errorf("%s: %s, problems %v", s.name, check.Conclusion, r.Problems)
			continue
		}
		if len(r.Problems) > 0 && (r.Problems[0].Layer != s.layer || !strings.Contains(check.Output.Summary, "Mistakes in the config")) {
			t.Errorf("%s: problem %+v, summary %s", s.name, r.Problems[0], check.Output.Summary)
		}
	}
}

// TestOrganisationCached: the organisation's file is read once a minute, stands
// in for one that cannot be read, and is waited for where nothing is known.
func TestOrganisationCached(t *testing.T) {
	w := newWorld(t)
	w.org = "version: 1\npipelines:\n  review: {description: Org}\n"
	for i := range 3 {
		w.decide(w.deliver("synchronize", head(fmt.Sprint(i))))
	}
	if w.orgReads != 1 {
		t.Errorf("read %d times", w.orgReads)
	}
	w.p.layers.orgs.Clear()
	w.fail["OrgFile"] = fault.New(fault.Transient, errors.New("down"))
	if err := w.p.Decide(t.Context(), w.deliver("synchronize", head("a"))); fault.KindOf(err) != fault.Transient {
		t.Errorf("without the organisation's config: %v", err)
	}
	w.fail["OrgFile"] = fault.New(fault.Gone, errors.New("not part of the installation"))
	w.org = ""
	w.p.layers.orgs.Clear()
	if r, _ := w.checked("synchronize", head("b")); r.Status != review.StatusDone {
		t.Errorf("run %s without access to the organisation's repository", r.Status)
	}
}

// TestSuppressed: what the config holds back does not count, is kept with the
// run, and is a finding itself once that has expired.
func TestSuppressed(t *testing.T) {
	w := newWorld(t)
	day := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	w.p.Reviewer.Now = func() time.Time { return day }
	w.config = own + "suppress:\n  - {rule: finder/found, paths: [\"*.go\"], reason: Old code, owner: \"@team\", until: 2026-06-01}\n"
	r, check := w.checked("opened", head("a"))
	if check.Conclusion != review.ConclusionSuccess || len(r.Findings) != 0 || len(r.Suppressed) != 1 || r.Suppressed[0].Suppressed.By != "@team" {
		t.Errorf("%s, findings %v, suppressed %v", check.Conclusion, r.Findings, r.Suppressed)
	}
	if !strings.Contains(check.Output.Summary, "1 suppressed by the config") {
		t.Errorf("summary %s", check.Output.Summary)
	}
	id := r.Suppressed[0].ID
	day = day.AddDate(0, 0, 1)
	r, check = w.checked("synchronize", head("b"))
	if check.Conclusion != review.ConclusionFailure || len(r.Findings) != 2 || r.Findings[0].ID != id || r.Findings[1].Rule != "config/expired-suppression" || r.Findings[1].ID == "" {
		t.Errorf("after it expired: %s, %+v", check.Conclusion, r.Findings)
	}
}

// TestForkConfig: what a pull request says of its own review does not count; it
// is checked, tried on what is known, and told of.
func TestForkConfig(t *testing.T) {
	w := newWorld(t)
	w.config = own + "    budget: {tokens: 1000}\n"
	w.checked("opened", head("a")) // something to try it on
	w.files = append(w.files, review.File{Path: ConfigPath, Status: review.Modified})
	w.atHead = heads{ConfigPath: "version: 1\noperator: {endpoints: {evil: {dialect: openai, url: \"https://evil.example\"}}}\npipelines:\n  review: {agents: [finder], budget: {tokens: 9000000}, enabled: false}\n"}
	r, check := w.checked("synchronize", head("b"))
	if check.Conclusion != review.ConclusionFailure || len(r.Problems) != 0 {
		t.Errorf("%s, problems %v", check.Conclusion, r.Problems)
	}
	stored, err := w.store.Run(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := planOf(stored)
	if err != nil || plan.Budget.Tokens != 1000 || !slices.Equal(plan.Agents(), []string{"finder"}) {
		t.Errorf("plan %+v, %v", plan, err)
	}
	var mistakes []review.Finding
	for _, f := range r.Findings {
		if f.Rule == ruleMistake {
			mistakes = append(mistakes, f)
		}
	}
	if len(mistakes) == 0 || mistakes[0].StartLine != 2 || mistakes[0].Path != ConfigPath || !strings.Contains(mistakes[0].Message, "operator's file alone") {
		t.Errorf("mistakes %+v", mistakes)
	}
	if !slices.ContainsFunc(check.Output.Annotations, func(a review.Annotation) bool { return a.Path == ConfigPath && a.StartLine == 2 }) {
		t.Errorf("annotations %+v", check.Output.Annotations)
	}
	if !strings.Contains(check.Output.Summary, "applies after the merge") {
		t.Errorf("summary %s", check.Output.Summary)
	}

	w.finder.severity = review.SeverityNone
	w.atHead[ConfigPath] = own + "    on: [pull_request.closed]\n  late:\n    on: [pull_request.synchronize]\n    agents: [finder]\n"
	r, check = w.checked("synchronize", head("c"))
	want := "review would have run on 0 of the last 1 pull requests (now 1); late would have run on 1 of the last 1 pull requests (now 0)"
	if check.Conclusion != review.ConclusionSuccess || !strings.Contains(r.ConfigChange, want) {
		t.Errorf("%s, %q", check.Conclusion, r.ConfigChange)
	}
	delete(w.atHead, ConfigPath) // the file is taken away
	if r, _ = w.checked("synchronize", head("d")); r.ConfigChange == "" || len(r.Findings) != 0 {
		t.Errorf("taken away: %q, %v", r.ConfigChange, r.Findings)
	}
}

// TestLoadedOnce: the same files are put together once, whatever is asked.
func TestLoadedOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		w.decide(w.deliver("synchronize", head(fmt.Sprint(i))))
	}
	if s := w.p.layers.loads.Stats(); s.Loads != 1 {
		t.Errorf("put together %d times", s.Loads)
	}
}
