package eval_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"assay/agents"
	"assay/internal/eval"
	"assay/review"
)

// todo finds added lines that hold a mark.
type todo struct{}

func (todo) Name() string { return "todo" }

func (todo) Run(_ context.Context, in agents.Input) (agents.Result, error) {
	var out agents.Result
	for _, f := range in.Change.Files {
		out.Coverage = append(out.Coverage, review.Coverage{Path: f.Path, Level: review.Full})
		for l := range f.Added() {
			if strings.Contains(l.Text, "TODO") && in.Policy.Profile == review.ProfileQuiet {
				out.Findings = append(out.Findings, review.Finding{
					Rule: "todo/mark", Severity: review.Low, Path: f.Path, StartLine: l.New, EndLine: l.New, Message: "To do.", Evidence: l.Text,
				})
			}
		}
	}
	return out, nil
}

// history makes a repository in which each map is a commit of files.
func history(t *testing.T, commits ...map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@invalid", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	for _, files := range commits {
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		git("add", "-A")
		git("commit", "-q", "--allow-empty", "-m", "change")
	}
	return dir
}

func TestAnalysers(t *testing.T) {
	dir := history(t,
		map[string]string{"a.txt": "TODO before\n"}, // the root is nobody's change
		map[string]string{"a.txt": "TODO before\nTODO one\n"},
		map[string]string{},
		map[string]string{"b.txt": "TODO two\nTODO three\n"},
		map[string]string{"c.txt": "x\n", "d.txt": "x\n", "e.txt": "TODO too large\n"},
		map[string]string{"a.txt": "fine\n"},
	)
	runner, err := agents.New(agents.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := eval.Config{Agents: []agents.Agent{todo{}}, Runner: runner, Policy: review.Policy{Profile: review.ProfileQuiet}, MaxFiles: 2, SamplePerRule: 2, Seed: 1}
	got, err := eval.Analysers(t.Context(), cfg, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if got.Commits != 3 || got.Skipped != 1 || got.Findings != 3 || got.Hit != 2 || len(got.Sample) != 2 || len(got.Agents) != 1 {
		t.Errorf("got %+v", got)
	}
	if len(got.Rules) != 1 || got.Rules[0] != (eval.Rule{ID: "todo/mark", Findings: 3, Commits: 2}) || got.Per100(got.Findings) != 100 {
		t.Errorf("rules %+v", got.Rules)
	}
	again, err := eval.Analysers(t.Context(), cfg, []string{dir})
	if err != nil || again.Sample[0] != got.Sample[0] || again.Sample[1] != got.Sample[1] {
		t.Errorf("the same seed drew %+v, then %+v (%v)", got.Sample, again.Sample, err)
	}
	judged := []eval.Judgement{{Sample: got.Sample[0], Right: true}, {Sample: eval.Sample{ID: "other"}, Right: false}}
	if right, n := eval.Precision(got.Sample, judged); right != 1 || n != 1 {
		t.Errorf("%d of %d right", right, n)
	}
	if got.Added != 4 || got.Per1000(got.Findings) != 750 {
		t.Errorf("%d added lines, %v findings for 1,000", got.Added, got.Per1000(got.Findings))
	}
	narrow := cfg
	narrow.MaxLines = 1
	if got, err := eval.Analysers(t.Context(), narrow, []string{dir}); err != nil || got.Commits != 2 || got.Skipped != 2 {
		t.Errorf("of one added line: %+v, %v", got, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	cfg.Progress = func(done int, _ string) {
		if done == 2 {
			stop()
		}
	}
	if got, err := eval.Analysers(stopped, cfg, []string{dir}); !errors.Is(err, context.Canceled) || got == nil || got.Commits+got.Skipped != 2 {
		t.Errorf("stopped: %+v, %v", got, err)
	}
	cfg.Progress = nil
	cfg.MaxCommits = 2
	if got, err = eval.Analysers(t.Context(), cfg, []string{dir}); err != nil || got.Commits != 1 || got.Skipped != 1 {
		t.Errorf("the newest two: %+v, %v", got, err)
	}
}

func TestReadJudgements(t *testing.T) {
	good := `{"id":"a","right":true,"why":"a real key"}` + "\n\n" + `{"id":"b","right":false}`
	all, err := eval.ReadJudgements(strings.NewReader(good))
	if err != nil || len(all) != 2 || !all[0].Right || all[1].Right || all[0].Why != "a real key" {
		t.Errorf("%+v, %v", all, err)
	}
	for text, want := range map[string]string{
		`{"id":"a"}`: "line 1: want", "\n{": "line 2: ", `{"right":true}`: "line 1: want",
	} {
		if _, err := eval.ReadJudgements(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestJudged holds that the judgements that are kept can be read, that each
// finding is judged once, and what docs/noise.md says of them.
func TestJudged(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "judged.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	judged, err := eval.ReadJudgements(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	right, quiet := 0, 0
	for _, j := range judged {
		if seen[j.ID] || j.Rule == "" || j.Message == "" || j.Profile == "" || !j.Right && j.Why == "" {
			t.Errorf("judged twice, or not whole: %+v", j)
		}
		seen[j.ID] = true
		if j.Profile == review.ProfileQuiet {
			quiet++
			if j.Right {
				right++
			}
		}
	}
	if len(judged) < 100 {
		t.Errorf("%d findings are judged, want 100 or more", len(judged))
	}
	if share, _, _ := eval.Interval(right, quiet); share < 0.95 {
		t.Errorf("of quiet %d of %d are right: %.3f, want 0.95", right, quiet, share)
	}
}

func TestInterval(t *testing.T) {
	// https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval
	share, low, high := eval.Interval(95, 100)
	if share != 0.95 || low < 0.887 || low > 0.889 || high < 0.978 || high > 0.979 {
		t.Errorf("%v, %v to %v", share, low, high)
	}
	if _, low, high := eval.Interval(0, 0); low != 0 || high != 1 {
		t.Errorf("of nothing: %v to %v", low, high)
	}
}
