package strategy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

var vocabulary = Vocabulary{Agents: []string{"secrets", "workflows", "hygiene", "pull-request", "reviewer"}}

func mustParse(t testing.TB, file string) *Config {
	t.Helper()
	c, problems := Parse(".github/assay.yml", []byte(file), vocabulary)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return c
}

// twoPipelines listens to different events, one with each filter.
const twoPipelines = `
version: 1
pipelines:
  review:
    drafts: true
  slow:
    on: [pull_request.ready_for_review, pull_request.labeled, check_suite.completed]
    strategy: sequential
    agents: [reviewer, secrets]
    labels: {skip: [skip-review, Wip]}
  nightly:
    on: [schedule.weekly]
paths: {ignore: ["vendor/**"]}
`

// line is a decision in a form that fits a table.
func line(d Decision) string {
	var parts []string
	for _, p := range d.Plans {
		parts = append(parts, "run "+p.Pipeline)
	}
	for _, s := range d.Skips {
		parts = append(parts, "skip "+s.Pipeline+": "+s.Reason)
	}
	return strings.Join(parts, " | ")
}

func TestDecide(t *testing.T) {
	const draft = "the pull request is a draft"
	const draftUntilReady = draft + "; it is reviewed when marked ready for review"
	open := review.Pull{Number: 7, HeadSHA: "h"}
	with := func(change func(*review.Pull)) *review.Pull { p := open; change(&p); return &p }
	drafted := with(func(p *review.Pull) { p.Draft = true })
	closed := with(func(p *review.Pull) { p.Closed = true })
	labelled := func(names ...string) *review.Pull { return with(func(p *review.Pull) { p.Labels = names }) }
	check := func(name string) *review.Check { return &review.Check{Name: name} }

	tests := []struct {
		event  string
		pull   *review.Pull
		check  *review.Check
		config string // empty: the built-in default
		want   string
	}{
		{"pull_request.opened", &open, nil, "", "run review"},
		{"pull_request.reopened", &open, nil, "", "run review"},
		{"pull_request.synchronize", &open, nil, "", "run review"},
		{"pull_request.ready_for_review", &open, nil, "", "run review"},
		{"pull_request.opened", drafted, nil, "", "skip review: " + draftUntilReady},
		{"pull_request.synchronize", drafted, nil, "", "skip review: " + draftUntilReady},
		{"pull_request.synchronize", closed, nil, "", "skip review: the pull request is closed"},
		{"pull_request.opened", with(func(p *review.Pull) { p.Closed, p.Draft = true, true }), nil, "", "skip review: the pull request is closed"},
		{"pull_request.opened", nil, nil, "", "skip review: the event names no pull request"},
		{"pull_request.opened", labelled("skip-review"), nil, "", "run review"},
		{"pull_request.opened", with(func(p *review.Pull) { p.Fork = true }), nil, "", "run review"},
		{"pull_request.closed", closed, nil, "", ""},
		{"pull_request.labeled", &open, nil, "", ""},
		{"pull_request.edited", &open, nil, "", ""},
		{"pull_request", &open, nil, "", ""},
		{"push", nil, nil, "", ""},
		{"check_suite.completed", &open, nil, "", ""},
		{"", nil, nil, "", ""},

		{"check_run.rerequested", &open, check("assay / review"), "", "run review"},
		{"check_run.rerequested", drafted, check("assay / review"), "", "skip review: " + draftUntilReady},
		{"check_run.rerequested", nil, check("assay / review"), "", "skip review: the event names no pull request"},
		{"check_run.rerequested", &open, check("assay / gone"), "", `skip gone: the config has no pipeline "gone" any more`},
		{"check_run.rerequested", &open, check("assay / "), "", ""},
		{"check_run.rerequested", &open, check("build"), "", ""},
		{"check_run.rerequested", &open, nil, "", ""},
		{"check_run.requested_action", &open, check("assay / review"), "", ""},
		{"check_suite.rerequested", &open, nil, "", "run review"},
		{"check_suite.rerequested", closed, nil, "", "skip review: the pull request is closed"},

		{"pull_request.opened", &open, nil, twoPipelines, "run review"},
		{"pull_request.opened", drafted, nil, twoPipelines, "run review"},
		{"pull_request.opened", labelled("skip-review"), nil, twoPipelines, "run review"},
		{"pull_request.ready_for_review", &open, nil, twoPipelines, "run review | run slow"},
		{"pull_request.ready_for_review", labelled("bug", "WIP"), nil, twoPipelines, `run review | skip slow: the pull request has the label "WIP"`},
		{"pull_request.labeled", labelled("skip-review"), nil, twoPipelines, `skip slow: the pull request has the label "skip-review"`},
		{"pull_request.labeled", labelled("skip-review-not"), nil, twoPipelines, "run slow"},
		{"check_suite.completed", drafted, nil, twoPipelines, "skip slow: " + draftUntilReady},
		{"check_suite.completed", &open, nil, twoPipelines, "run slow"},
		{"schedule.weekly", nil, nil, twoPipelines, "skip nightly: the event names no pull request"},
		{"schedule.daily", nil, nil, twoPipelines, ""},
		{"check_suite.rerequested", &open, nil, twoPipelines, "run review | run slow"},
		{"check_suite.rerequested", drafted, nil, twoPipelines, "run review | skip slow: " + draftUntilReady},
		{"check_run.rerequested", &open, check("assay / slow"), twoPipelines, "run slow"},
		{"check_run.rerequested", &open, check("assay / nightly"), twoPipelines, "run nightly"},
		{"check_run.rerequested", closed, check("assay / slow"), twoPipelines, "skip slow: the pull request is closed"},

		{"pull_request.opened", drafted, nil, "version: 1\npipelines: {a: {on: [pull_request.opened]}}", "skip a: " + draft},
		{"pull_request.synchronize", &open, nil, "version: 1\npipelines: {a: {on: [pull_request.opened]}}", ""},
	}
	for _, tt := range tests {
		var s Settings
		s.Vocabulary = vocabulary
		if tt.config != "" {
			s.Config = mustParse(t, tt.config)
		}
		name, action, _ := strings.Cut(tt.event, ".")
		got := line(Decide(review.Event{Name: name, Action: action, Pull: tt.pull, Check: tt.check}, s))
		if got != tt.want {
			t.Errorf("%s of %+v (check %+v, own config %t):\ngot  %s\nwant %s", tt.event, tt.pull, tt.check, tt.config != "", got, tt.want)
		}
	}
}

// A pull request with another base branch is decided as by its own events,
// whichever of them a pipeline listens to.
func TestDecideRetargeted(t *testing.T) {
	s := Settings{Vocabulary: vocabulary, Config: mustParse(t, twoPipelines)}
	ev := review.Event{Name: "pull_request", Action: "edited", Pull: &review.Pull{Number: 1}, Retargeted: true}
	if got, want := line(Decide(ev, s)), "run review | run slow"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecidePlan(t *testing.T) {
	problems := []review.Problem{{Path: "p", Line: 3, Message: "m"}}
	ev := review.Event{Name: "pull_request", Action: "ready_for_review", Pull: &review.Pull{}}
	d := Decide(ev, Settings{Config: mustParse(t, twoPipelines), Problems: problems})
	want := []Plan{
		{
			Pipeline: "review", CheckName: "assay / review", Event: "pull_request.ready_for_review",
			Strategy: Parallel, Stages: [][]string{{"secrets", "workflows", "hygiene", "pull-request", "reviewer"}},
			Timeout: 10 * time.Minute,
			Gate:    Gate{FailOn: review.High, OnUnavailable: UnavailableNeutral},
			Report:  Report{Comment: CommentFindings, Inline: review.Medium, MaxInline: 10},
			Ignore:  []string{"vendor/**"}, Problems: problems,
		},
		{
			Pipeline: "slow", CheckName: "assay / slow", Event: "pull_request.ready_for_review",
			Strategy: Sequential, Stages: [][]string{{"reviewer"}, {"secrets"}},
			Timeout: 10 * time.Minute,
			Gate:    Gate{FailOn: review.High, OnUnavailable: UnavailableNeutral},
			Report:  Report{Comment: CommentFindings, Inline: review.Medium, MaxInline: 10},
			Ignore:  []string{"vendor/**"}, Problems: problems,
		},
	}
	if diff := cmp.Diff(want, d.Plans); diff != "" {
		t.Error(diff)
	}
	if got := d.Plans[1].Agents(); !slices.Equal(got, []string{"reviewer", "secrets"}) {
		t.Errorf("agents %v", got)
	}
}

// A stored plan must come back as it was, an advisory gate included: an empty
// severity there must not turn into a failing one.
func TestPlanJSON(t *testing.T) {
	c := mustParse(t, twoPipelines+"\n")
	c.Pipelines[0].Gate.FailOn = review.SeverityNone
	ev := review.Event{Name: "pull_request", Action: "ready_for_review", Pull: &review.Pull{}}
	for _, p := range Decide(ev, Settings{Config: c, Problems: []review.Problem{{Line: 1}}}).Plans {
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var got Plan
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("%s\n%s", data, diff)
		}
	}
}

func TestDefaultAgents(t *testing.T) {
	tests := []struct {
		name string
		v    Vocabulary
		want []string
	}{
		{"deterministic ones in a fixed order", Vocabulary{Agents: []string{"reviewer", "pull-request", "secrets", "hygiene", "workflows"}}, []string{"secrets", "workflows", "hygiene", "pull-request", "reviewer"}},
		{"those there are", Vocabulary{Agents: []string{"hygiene"}}, []string{"hygiene"}},
		{"the operator's choice", Vocabulary{Agents: []string{"secrets", "reviewer"}, Default: []string{"reviewer"}}, []string{"reviewer"}},
		{"none", Vocabulary{}, nil},
	}
	for _, tt := range tests {
		if got := Default(tt.v).Pipelines[0].Agents; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// FuzzDecide holds what internal/pipeline relies on: no panic, no pipeline
// twice, a reason for every skip, every plan with its check name.
func FuzzDecide(f *testing.F) {
	f.Add("pull_request", "opened", "assay / review", "review", "review", "pull_request.opened", "wip", byte(0))
	f.Add("check_run", "rerequested", "assay / x", "x", "x", "push", "", byte(7))
	f.Add("check_suite", "rerequested", "", "a", "b", "pull_request.x", "", byte(255))
	f.Add("check_run", "rerequested", "assay / x", "x", "x", "push", "", byte(1|8|16))
	f.Add("check_run", "rerequested", "assay / x", "x", "x", "push", "", byte(1|4|8|16))
	f.Add("push", "", "", "a", "a", "push", "", byte(1|16))
	f.Fuzz(func(t *testing.T, name, action, check, first, second, on, label string, bits byte) {
		is := func(bit int) bool { return bits&(1<<bit) != 0 }
		ev := review.Event{Name: name, Action: action}
		if is(0) {
			ev.Pull = &review.Pull{Number: int(bits >> 6), Draft: is(1), Closed: is(2), Labels: []string{label}}
		}
		if is(3) {
			ev.Check = &review.Check{Name: check}
		}
		var s Settings
		if is(4) {
			// By hand, with names that Parse would refuse.
			s.Config = &Config{Pipelines: []Pipeline{
				{Name: first, On: []string{on, name + "." + action}, Filter: Filter{Drafts: is(5), Labels: LabelFilter{Skip: []string{label}}}},
				{Name: second, On: []string{on}, Strategy: Sequential, Agents: []string{"a", "b"}},
				{Name: first},
			}}
		}
		d := Decide(ev, s)
		seen := make(map[string]bool)
		for _, p := range d.Plans {
			if seen[p.Pipeline] || p.CheckName != review.CheckName(p.Pipeline) || ev.Pull == nil || ev.Pull.Closed && ev.Pull.Number > 0 && ev.String() != "pull_request.closed" {
				t.Fatalf("plan %+v (seen before: %t) of %+v", p, seen[p.Pipeline], ev)
			}
			seen[p.Pipeline] = true
		}
		for _, skip := range d.Skips {
			if seen[skip.Pipeline] || skip.Reason == "" || skip.CheckName != review.CheckName(skip.Pipeline) {
				t.Fatalf("skip %+v (seen before: %t) of %+v", skip, seen[skip.Pipeline], ev)
			}
			seen[skip.Pipeline] = true
		}
		if name == "check_run" && action == "rerequested" && len(seen) > 1 {
			t.Fatalf("one check's re-run touches %v", seen)
		}
	})
}

// conditions are 200 pipelines with a condition each, no two alike.
func conditions(t testing.TB) Settings {
	t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\npipelines:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  p%d: {when: '!pr.draft && pr.base_ref == \"main\" && !(\"skip-%d\" in pr.labels)'}\n", i, i)
	}
	return Settings{Config: mustParse(t, b.String())}
}

var toDecide = review.Event{Name: "pull_request", Action: "opened", Pull: &review.Pull{Number: 1, BaseRef: "main", Labels: []string{"a", "b"}}}

// BenchmarkDecide200 is to take less than a millisecond.
func BenchmarkDecide200(b *testing.B) {
	s := conditions(b)
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(toDecide, s); len(d.Plans) != 200 {
			b.Fatal(len(d.Plans))
		}
	}
}

// Deciding is made of evaluating what was compiled: to compile a condition
// takes some hundred times as long, and doing that on each event would show
// here on any machine.
func TestDecideCompilesNothing(t *testing.T) {
	s := conditions(t)
	least := func(n int, f func()) time.Duration {
		best := time.Hour
		for range n {
			started := time.Now()
			f()
			best = min(best, time.Since(started))
		}
		return best
	}
	deciding := least(20, func() { Decide(toDecide, s) })
	loading := least(3, func() { conditions(t) })
	if deciding*5 > loading {
		t.Errorf("deciding takes %s, reading the config %s", deciding, loading)
	}
}

// A condition that a change makes too expensive does not take its pipeline
// away: the pipeline runs, and says on the condition's line what is wrong.
func TestDecideHostile(t *testing.T) {
	c := mustParse(t, "version: 1\npipelines:\n  p:\n    when: files.all(f, f.path.matches('^(a+)+$') || f.path.matches('(a|b)*c') || f.path.contains('zz'))\n")
	files := make([]review.File, 3000)
	for i := range files {
		files[i].Path = strings.Repeat("a", 4000) + "zz"
	}
	d := Decide(toDecide, Settings{Config: c, Files: files})
	if len(d.Plans) != 1 || len(d.Plans[0].Problems) != 1 {
		t.Fatal(line(d))
	}
	want := review.Problem{
		Path: ".github/assay.yml", Line: 4, Column: 11,
		Message: "pipelines.p.when could not be evaluated, so the pipeline runs: it takes too much work: more than 300000 units",
	}
	if diff := cmp.Diff(want, d.Plans[0].Problems[0]); diff != "" {
		t.Error(diff)
	}
	refused := "version: 1\npipelines:\n  p:\n    when: files.exists(a, files.exists(b, a.path == b.path))\n"
	if _, problems := Parse("a.yml", []byte(refused), vocabulary); len(problems) != 1 || problems[0].Line != 4 || !strings.Contains(problems[0].Message, "too much work") {
		t.Errorf("nested comprehensions: %v", problems)
	}
}

// FuzzDecideLanguage holds Explain to Decide over configs with every filter.
func FuzzDecideLanguage(f *testing.F) {
	for name, config := range languageConfigs {
		f.Add([]byte(config), "pull_request", "opened", name, "wip", "main", byte(0))
		f.Add([]byte(config), "check_run", "rerequested", "assay / p", "", "dev", byte(255))
		f.Add([]byte(config), "merge_group", "checks_requested", "", "", "refs/heads/main", byte(8|16))
	}
	f.Add([]byte(everyKey), "schedule", "nightly", "", "", "", byte(1))
	f.Fuzz(func(t *testing.T, file []byte, name, action, title, label, branch string, bits byte) {
		s := Load(full, Layer{Repository, "a.yml", file})
		is := func(bit int) bool { return bits&(1<<bit) != 0 }
		ev := review.Event{Name: name, Action: action, Retargeted: is(0), Check: &review.Check{Name: title}}
		if !is(1) {
			ev.Pull = &review.Pull{Number: int(bits>>3) & 1, Title: title, Labels: []string{label}, BaseRef: branch, BaseSHA: branch, Draft: is(2), Closed: is(4), Author: review.Actor{Login: label, Bot: is(5)}}
		}
		if is(6) {
			ev.Issue = &review.Issue{Title: title}
		}
		d := Decide(ev, s)
		if d.NeedsFiles {
			agree(t, ev, s, d)
			s.Files = []review.File{{Path: branch, OldPath: title}}
			if d = Decide(ev, s); d.NeedsFiles {
				t.Fatal("the files are known")
			}
		}
		agree(t, ev, s, d)
	})
}
