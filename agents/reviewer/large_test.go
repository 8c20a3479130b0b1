package reviewer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/agents"
	"assay/internal/llmfake"
	"assay/review"
)

// TestLarge holds that a change of 3,000 files and some 10 MB is reviewed
// within its budget, what matters most first, and that its receipt says what
// was not read.
func TestLarge(t *testing.T) {
	files := map[string]string{"zz/auth/login.go": buggy, "vendor/x/x.go": "package x\n", "go.sum": "x\n"}
	filler := strings.Repeat("\tvalue := compute(input, 42) // and so on and so forth, line after line\n", 46)
	for i := range 3000 - len(files) {
		files[fmt.Sprintf("pkg%02d/file%04d.go", i%40, i)] = "package p\n\nfunc f() {\n" + filler + "}\n"
	}
	change := added(files)
	w := newWorld(t)
	const budget = 60_000
	began := time.Now()
	got, err := w.agent.Run(t.Context(), agents.Input{Change: change, Policy: review.Policy{Budget: review.Budget{Tokens: budget}}})
	if err != nil {
		t.Fatal(err)
	}
	levels := make(map[review.Level]int)
	for _, c := range got.Coverage {
		levels[c.Level]++
		if c.Level == review.Skipped && !strings.Contains(c.Reason, "budget") {
			t.Fatalf("receipt %+v does not say why", c)
		}
	}
	if len(got.Coverage) != 3000 || levels[review.NotApplicable] != 2 || levels[review.Full] < 5 || levels[review.Skipped] < 2000 {
		t.Errorf("receipts %v", levels)
	}
	if len(got.Findings) == 0 || got.Findings[0].Path != "zz/auth/login.go" {
		t.Errorf("findings %+v: what matters most was not read", got.Findings)
	}
	if spent := got.Usage.Input + got.Usage.Output; spent > budget {
		t.Errorf("%d tokens spent of %d", spent, budget)
	}
	t.Logf("3,000 files in %s: %v, %d calls, %d tokens", time.Since(began).Round(time.Millisecond), levels, got.Usage.Calls, got.Usage.Input+got.Usage.Output)
}

// TestUnits holds that a file that comes or goes moves none but its neighbours,
// and that a test goes with what it tests.
func TestUnits(t *testing.T) {
	var files []review.File
	for i := range 40 {
		files = append(files, addedFile(fmt.Sprintf("p/file%02d.go", i), "package p\n"), addedFile(fmt.Sprintf("p/file%02d_test.go", i), "package p\n"))
	}
	names := func(units []unit) map[string]bool {
		all := make(map[string]bool)
		for _, u := range units {
			all[fmt.Sprint(u.paths())] = true
			for _, p := range u.paths() {
				if !strings.HasSuffix(p, "_test.go") && !strings.Contains(fmt.Sprint(u.paths()), strings.TrimSuffix(p, ".go")+"_test.go") {
					t.Errorf("%s is not with its test", p)
				}
			}
		}
		return all
	}
	before := names(unitsOf(files, nil))
	after := names(unitsOf(append([]review.File{addedFile("p/afile.go", "package p\n"), addedFile("p/afile_test.go", "package p\n")}, files...), nil))
	moved := 0
	for u := range before {
		if !after[u] {
			moved++
		}
	}
	if moved > 1 || len(before) < 5 {
		t.Errorf("a new file moved %d of %d units", moved, len(before))
	}
	huge := addedFile("big.go", strings.Repeat("a line of a very long file, some more words in it\n", 5000))
	lines := 0
	for _, u := range unitsOf([]review.File{huge}, nil) {
		if u.tokens() > maxUnit {
			t.Errorf("a unit of %d tokens", u.tokens())
		}
		for _, h := range u.parts[0].hunks {
			lines += len(h.Lines)
			if h.NewStart != h.Lines[0].New || h.NewLines != len(h.Lines) {
				t.Errorf("a piece says it begins at %d", h.NewStart)
			}
		}
	}
	if lines != 5000 {
		t.Errorf("%d of 5000 lines are in units", lines)
	}
}

// pushes reviews a pull request of 30 files over 30 pushes, each changing one
// file, and returns the tokens that were sent.
func pushes(t testing.TB, w *world) (sent, saved int) {
	t.Helper()
	files := make(map[string]string)
	for i := range 30 {
		files[fmt.Sprintf("pkg%d/file%02d.go", i%6, i)] = fmt.Sprintf("package p%d\n\n", i%6) + strings.Repeat(fmt.Sprintf("// what file %d does\nvar a%d = compute(%d)\n", i, i, i), 25)
	}
	for push := range 30 {
		files[fmt.Sprintf("pkg%d/file%02d.go", push%6, push)] += fmt.Sprintf("\nvar pushed%d = %d\n", push, push)
		change := added(files)
		change.Pull.HeadSHA = fmt.Sprint("h", push)
		got := w.run(t, change)
		for _, c := range got.Coverage {
			if c.Level != review.Full {
				t.Fatalf("push %d: receipt %+v", push, c)
			}
		}
		sent, saved = sent+got.Usage.Input+got.Usage.Output, saved+got.Usage.Saved
	}
	return sent, saved
}

// TestPushes holds what the answers that are kept save.
func TestPushes(t *testing.T) {
	with, saved := pushes(t, newWorld(t))
	without, none := pushes(t, newWorld(t, func(c *Config) { c.Answers = nil }))
	saving := 100 * (without - with) / without
	t.Logf("30 pushes: %d tokens with kept answers, %d without: %d %% saved", with, without, saving)
	if saving < 80 || saved == 0 || none != 0 {
		t.Errorf("saving %d %%, %d and %d tokens said to be saved", saving, saved, none)
	}
}

// TestDependsOn holds that an answer is given up when what the model looked at
// beside the diff has changed.
func TestDependsOn(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{"a.go": "package a\n\n// see b.go\nvar a = 1\n"}
	w.Answer(func(r llmfake.Request) llmfake.Step {
		if r.Results == 0 {
			return llmfake.Step{Calls: []llmfake.Call{{Name: "read_file", Arguments: `{"path":"b.go"}`}}}
		}
		return llmfake.Step{Text: `{"examined":["a.go"],"findings":[]}`}
	})
	first := w.run(t, added(files, map[string]string{"b.go": "package a\n"}))
	again := w.run(t, added(files, map[string]string{"b.go": "package a\n", "c.go": "package a\n"}))
	if first.Usage.Calls == 0 || again.Usage.Calls != 0 || again.Usage.Saved == 0 {
		t.Errorf("with the same file: usage %+v", again.Usage)
	}
	if changed := w.run(t, added(files, map[string]string{"b.go": "package a\n\nvar b = 2\n"})); changed.Usage.Calls == 0 {
		t.Error("with another file, the old answer was given")
	}
}

func BenchmarkPushes(b *testing.B) {
	for b.Loop() {
		with, _ := pushes(b, newWorld(b))
		without, _ := pushes(b, newWorld(b, func(c *Config) { c.Answers = nil }))
		b.ReportMetric(float64(with), "tokens-kept")
		b.ReportMetric(float64(without), "tokens-without")
		b.ReportMetric(100*float64(without-with)/float64(without), "%saved")
	}
}
