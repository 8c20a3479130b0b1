package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/workflows"
	"assay/internal/fault"
	"assay/review"
)

const path = ".github/workflows/ci.yml"

// sides is review.Contents by side and path.
type sides map[review.Side]map[string]string

func (s sides) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := s[side][path]
	switch {
	case !ok:
		return nil, review.ErrNotExist
	case text == "too large":
		return nil, review.ErrTooLarge
	case text == "outage":
		return nil, errors.New("502 from a host that nobody should read of")
	}
	return []byte(text), nil
}

// changed is the workflow with the lines given added and the rest as before.
func changed(text string, added ...int) review.File {
	is := make(map[int]bool)
	for _, n := range added {
		is[n] = true
	}
	f := review.File{Path: path, Status: review.Modified}
	h := review.Hunk{NewStart: 1, OldStart: 1}
	for i, l := range strings.Split(text, "\n") {
		line := review.Line{Op: review.Context, Old: i + 1, New: i + 1, Text: l}
		if is[i+1] || len(added) == 0 {
			line.Op, line.Old = review.Add, 0
		}
		h.Lines = append(h.Lines, line)
	}
	h.NewLines = len(h.Lines)
	f.Hunks = []review.Hunk{h}
	return f
}

func run(t testing.TB, contents review.Contents, files ...review.File) agents.Result {
	t.Helper()
	out, err := workflows.New().Run(t.Context(), agents.Input{Change: &review.Change{Files: files, Contents: contents}})
	if err != nil {
		t.Fatal(err)
	}
	out.Findings, _ = agents.ApplyPolicy(workflows.Rules(), review.Policy{}, out.Findings) // as the runner does
	return out
}

func at(side review.Side, text string) sides { return sides{side: {path: text}} }

const good = `name: ci
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make test
`

func TestFinds(t *testing.T) {
	step := func(s string) string { return good + "      - " + s + "\n" }
	tests := []struct {
		name, text string
		added      []int
		want       []string
	}{
		{"good", good, nil, nil},
		{"script injection", step("run: echo ${{ github.event.pull_request.title }}"), nil, []string{"script-injection high 9"}},
		{"injection in a block", step("run: |\n          echo one\n          echo ${{ github.head_ref }}"), nil, []string{"script-injection high 11"}},
		{"trusted text", step("run: echo ${{ github.sha }}"), nil, nil},
		{"safe by environment", step("run: echo \"$TITLE\"\n        env:\n          TITLE: ${{ github.event.pull_request.title }}"), nil, nil},
		{"injection on a line not added", step("run: echo ${{ github.event.issue.title }}"), []int{8}, nil},
		{"injection on the line added", step("run: echo ${{ github.event.issue.title }}"), []int{9}, []string{"script-injection high 9"}},
		{"line added to a block", step("run: |\n          echo one\n          echo ${{ github.head_ref }}"), []int{11}, []string{"script-injection high 11"}},
		{"other line added to a block", step("run: |\n          echo one\n          echo ${{ github.head_ref }}"), []int{10}, nil},
		{"written by index", step("run: |\n          echo one\n          echo ${{ github.event['pull_request']['title'] }}"), []int{11}, []string{"script-injection high 11"}},
		{"unknown property", step("run: echo ${{ github.shaa }}"), nil, []string{"expression medium 9"}},
		{"unknown key", strings.Replace(good, "runs-on", "run-on", 1), nil, []string{"syntax-check medium 4", "syntax-check medium 5"}},
		{"unknown event", strings.Replace(good, "on: push", "on: pushed", 1), nil, []string{"events medium 2"}},
		{"own runner", strings.Replace(good, "ubuntu-latest", "our-big-one", 1), nil, nil},
		{"old action", strings.Replace(good, "checkout@v4", "checkout@v1", 1), nil, nil},
		{"deprecated command", step("run: echo \"::set-output name=a::b\""), nil, []string{"deprecated-commands low 9"}},
		{"always true", step("run: make\n        if: ${{ github.event_name == 'push' }} && false"), nil, []string{"if-cond medium 10"}},
		{"turned off", step("run: make\n        if: false"), nil, nil},
		{"empty", "", nil, []string{"syntax-check medium 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range run(t, at(review.Head, tt.text), changed(tt.text, tt.added...)).Findings {
				got = append(got, fmt.Sprintf("%s %s %d", strings.TrimPrefix(f.Rule, "workflows/"), f.Severity, f.StartLine))
				if f.Message == "" || f.EndLine != f.StartLine || f.Path != path {
					t.Errorf("finding: %+v", f)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestStandard holds what the profile above quiet has to say, and that what is
// said of many places is said once.
func TestStandard(t *testing.T) {
	old := strings.Replace(good, "checkout@v4", "checkout@v1", 1)
	tests := []struct{ name, text, want string }{
		{"own runner", strings.Replace(good, "ubuntu-latest", "our-big-one", 1), `runner-label info 5 The label "our-big-one" is of none of GitHub's runners: if no runner of your own has it, the job waits for ever.`},
		{"old action", old, `outdated-action low 7 The runner of "actions/checkout@v1" action is too old to run on GitHub Actions. update the action's version to fix this issue.`},
		{"twice", old + "      - uses: actions/checkout@v1\n", `outdated-action low 7 The runner of "actions/checkout@v1" action is too old to run on GitHub Actions. update the action's version to fix this issue. The same is true in 1 more place of this file.`},
		{"thrice", old + strings.Repeat("      - uses: actions/checkout@v1\n", 2), `outdated-action low 7 The runner of "actions/checkout@v1" action is too old to run on GitHub Actions. update the action's version to fix this issue. The same is true in 2 more places of this file.`},
		{"turned off", good + "        if: false\n", `constant-condition low 9 Constant expression "false" in condition. remove the if: section.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := workflows.New().Run(t.Context(), agents.Input{Change: &review.Change{Files: []review.File{changed(tt.text)}, Contents: at(review.Head, tt.text)}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range out.Findings {
				if name := strings.TrimPrefix(f.Rule, "workflows/"); name != "missing-permissions" && name != "artipacked" {
					got = append(got, fmt.Sprintf("%s %s %d %s", name, f.Severity, f.StartLine, f.Message))
				}
			}
			if d := cmp.Diff([]string{tt.want}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestInjectionsAreNamedEach holds that what strangers can use is named where
// it stands.
func TestInjectionsAreNamedEach(t *testing.T) {
	text := good + strings.Repeat("      - run: echo ${{ github.head_ref }}\n", 3)
	if got := run(t, at(review.Head, text), changed(text)).Findings; len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

// TestOutage holds that a run is healed that an outage kept from reading.
func TestOutage(t *testing.T) {
	down := fault.From("github", fault.New(fault.Transient, errors.New("502")))
	for _, side := range []review.Side{review.Head, review.Base} {
		contents := outage{sides{review.Head: {path: good}, review.Base: {path: good}}, side, down}
		out, err := workflows.New().Run(t.Context(), agents.Input{Change: &review.Change{Files: []review.File{changed(good)}, Contents: contents}})
		if fault.DependencyOf(err) != "github" || len(out.Coverage) != 1 {
			t.Errorf("%v down: %v, %+v", side, err, out.Coverage)
		}
	}
}

// outage is contents one side of which does not answer.
type outage struct {
	sides
	side review.Side
	err  error
}

func (o outage) Read(ctx context.Context, side review.Side, path string) ([]byte, error) {
	if side == o.side {
		return nil, o.err
	}
	return o.sides.Read(ctx, side, path)
}

func TestMessage(t *testing.T) {
	text := good + "      - run: echo ${{ github.event.issue.body }}\n"
	got := run(t, at(review.Head, text), changed(text)).Findings[0]
	want := review.Finding{
		Rule: "workflows/script-injection", Severity: review.High, Category: review.Security, Path: path, StartLine: 9, EndLine: 9,
		Message:  `"github.event.issue.body" is potentially untrusted. avoid using it directly in inline scripts. instead, pass it through an environment variable.`,
		Evidence: "- run: echo ${{ github.event.issue.body }}",
		HelpURL:  "https://docs.github.com/en/actions/reference/security/secure-use#good-practices-for-mitigating-script-injection-attacks",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPasswordIsNotRepeated(t *testing.T) {
	text := strings.Replace(good, "    steps:", "    container:\n      image: x\n      credentials:\n        username: u\n        password: hun"+"ter2\n    steps:", 1)
	out := run(t, at(review.Head, text), changed(text))
	if len(out.Findings) != 1 || out.Findings[0].Rule != "workflows/credentials" || out.Findings[0].Severity != review.High {
		t.Fatalf("findings: %+v", out.Findings)
	}
	if f := out.Findings[0]; strings.Contains(f.Evidence+f.Message, "ter2") {
		t.Errorf("the password is in the finding: %+v", f)
	}
}

func TestBrokenYAML(t *testing.T) {
	broken := strings.Replace(good, "    steps:", "   steps: [", 1)
	unbroken := sides{review.Head: {path: broken}, review.Base: {path: good}}
	out := run(t, unbroken, changed(broken, 1)) // no added line is the one complained of
	if len(out.Findings) != 1 || out.Findings[0].StartLine != 0 || out.Findings[0].Rule != "workflows/syntax-check" {
		t.Errorf("newly broken: %+v", out.Findings)
	}
	already := sides{review.Head: {path: broken}, review.Base: {path: broken}}
	if out := run(t, already, changed(broken, 1)); len(out.Findings) != 0 {
		t.Errorf("broken before: %+v", out.Findings)
	}
	if out := run(t, unbroken, changed(broken)); len(out.Findings) != 1 || out.Findings[0].StartLine == 0 {
		t.Errorf("broken on an added line: %+v", out.Findings)
	}
}

func TestCoverage(t *testing.T) {
	other := review.File{Path: "main.go", Status: review.Added}
	nested := review.File{Path: ".github/workflows/sub/x.yml", Status: review.Added}
	removed := review.File{Path: path, Status: review.Removed}
	unread := changed(good)
	unread.Unread, unread.Hunks = "GitHub sent no patch", nil
	tests := []struct {
		name     string
		contents review.Contents
		file     review.File
		want     review.Coverage
	}{
		{"workflow", at(review.Head, good), changed(good), review.Coverage{Path: path, Level: review.Full}},
		{"other file", sides{}, other, review.Coverage{Path: "main.go", Level: review.NotApplicable}},
		{"not run by GitHub", sides{}, nested, review.Coverage{Path: nested.Path, Level: review.NotApplicable}},
		{"removed", sides{}, removed, review.Coverage{Path: path, Level: review.NotApplicable}},
		{"no patch", at(review.Head, good), unread, review.Coverage{Path: path, Level: review.Partial, Reason: "GitHub sent no patch"}},
		{"not there", sides{}, changed(good), review.Coverage{Path: path, Level: review.Skipped, Reason: "it is not there at the head"}},
		{"too large to read", at(review.Head, "too large"), changed(good), review.Coverage{Path: path, Level: review.Skipped, Reason: "larger than the 512 KB that GitHub takes"}},
		{"too large for GitHub", at(review.Head, strings.Repeat("#", 600<<10)), changed(good), review.Coverage{Path: path, Level: review.Skipped, Reason: "larger than the 512 KB that GitHub takes"}},
		{"outage", at(review.Head, "outage"), changed(good), review.Coverage{Path: path, Level: review.Skipped, Reason: "its contents could not be read"}},
		{"billion laughs", at(review.Head, laughs()), changed(good), review.Coverage{Path: path, Level: review.Skipped, Reason: "too large once its aliases are expanded"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, tt.contents, tt.file)
			if d := cmp.Diff([]review.Coverage{tt.want}, out.Coverage); d != "" {
				t.Error(d)
			}
		})
	}
}

// laughs is a small workflow that aliases make huge.
func laughs() string {
	var b strings.Builder
	b.WriteString("on: push\nenv:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestHostile(t *testing.T) {
	const size = 400 << 10
	tests := map[string]string{
		"aliases":          laughs(),
		"own alias":        "on: &a [*a, *a]\njobs: *a\n",
		"deep sequence":    "on: " + strings.Repeat("[", size),
		"deep mapping":     "on: " + strings.Repeat("{a: ", size/4),
		"deep expression":  good + "      - run: echo ${{ " + strings.Repeat("(", size) + " }}\n",
		"many nots":        good + "      - run: echo ${{ " + strings.Repeat("!", size) + "true }}\n",
		"many expressions": good + "      - run: echo " + strings.Repeat("${{ github.event.issue.title }} ", size/40) + "\n",
		"many mistakes":    good + strings.Repeat("x: y\n", size/8),
		"many jobs":        "on: push\njobs:\n" + manyJobs(size),
		"broken bytes":     good + strings.Repeat("\xff\x00", size/2),
		"long line":        good + "# " + strings.Repeat("x", size),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			out := run(t, at(review.Head, text), changed(text))
			took := time.Since(start)
			t.Logf("%s, %d findings, %v", took.Round(time.Millisecond), len(out.Findings), out.Coverage[0])
			if took > time.Minute {
				t.Errorf("took %s", took)
			}
			for _, f := range out.Findings {
				if len(f.Message) > 2000 || len(f.Evidence) > 2000 {
					t.Errorf("message of %d and evidence of %d bytes", len(f.Message), len(f.Evidence))
				}
			}
		})
	}
}

func manyJobs(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "  j%d: {runs-on: ubuntu-latest, needs: [j%d], steps: [{run: x}]}\n", i, i+1)
	}
	return b.String()
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range workflows.Rules() {
		if seen[r.ID] || r.Severity == 0 || r.What == "" || r.Why == "" || r.Fix == "" {
			t.Errorf("rule: %+v", r)
		}
		seen[r.ID] = true
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := workflows.New().Run(ctx, agents.Input{Change: &review.Change{Files: []review.File{changed(good)}}}); err == nil {
		t.Error("a cancelled run was not an error")
	}
}

func FuzzWorkflow(f *testing.F) {
	f.Add(good)
	f.Add(laughs())
	f.Add("on: &a [*a]")
	f.Add(good + "      - run: echo ${{ fromJSON('[1]')[0].a.*.b && !(github.event) }}\n")
	f.Fuzz(func(t *testing.T, text string) {
		out := run(t, at(review.Head, text), changed(text))
		lines := strings.Count(text, "\n") + 1
		for _, fd := range out.Findings {
			if fd.StartLine < 0 || fd.EndLine > lines {
				t.Errorf("line %d of %d", fd.EndLine, lines)
			}
		}
	})
}
