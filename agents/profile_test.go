package agents_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/review"
)

var described = []agents.Rule{
	{ID: "x/q", Severity: review.High},
	{ID: "x/sta", Severity: review.Medium, Profile: review.ProfileStandard},
	{ID: "x/str", Severity: review.Low, Profile: review.ProfileStrict},
}

// describing is an agent with rules.
type describing struct{ fake }

func (describing) Rules() []agents.Rule { return described }

// wrapper hides the rules of the agent within.
func TestApplyPolicy(t *testing.T) {
	findings := []review.Finding{
		{Rule: "x/q", Severity: review.Low}, {Rule: "x/sta", Severity: review.Medium}, {Rule: "x/str", Severity: review.Low}, {Rule: "x/unknown", Severity: review.Info},
	}
	none := map[string]review.Severity{}
	tests := []struct {
		name   string
		policy review.Policy
		want   string
		note   string
	}{
		{"nothing said", review.Policy{}, "q low, unknown info", "left out: 2 findings by rules of a higher profile"},
		{"quiet", review.Policy{Profile: review.ProfileQuiet, Severities: none}, "q low, unknown info", "left out: 2 findings by rules of a higher profile"},
		{"standard", review.Policy{Profile: review.ProfileStandard}, "q low, sta medium, unknown info", "left out: 1 finding by rules of a higher profile"},
		{"strict", review.Policy{Profile: review.ProfileStrict}, "q low, sta medium, str low, unknown info", ""},
		{"no such profile", review.Policy{Profile: "loud"}, "q low, unknown info", "left out: 2 findings by rules of a higher profile"},
		{"raised by its name", review.Policy{Severities: map[string]review.Severity{"str": review.High, "q": review.Critical}}, "q critical, str high, unknown info", "left out: 1 finding by rules of a higher profile"},
		{"silenced by its ID", review.Policy{Profile: review.ProfileStrict, Severities: map[string]review.Severity{"x/q": review.SeverityNone, "unknown": review.SeverityNone}}, "sta medium, str low", "left out: 2 findings by rules that the config turns off"},
		{"its ID goes first", review.Policy{Profile: review.ProfileStrict, Severities: map[string]review.Severity{"x/q": review.Info, "q": review.SeverityNone}}, "q info, sta medium, str low, unknown info", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kept, omitted := agents.ApplyPolicy(described, tt.policy, findings)
			var got []string
			for _, f := range kept {
				got = append(got, strings.TrimPrefix(f.Rule, "x/")+" "+f.Severity.String())
			}
			if d := cmp.Diff(tt.want, strings.Join(got, ", ")); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.note, omitted.String()); d != "" {
				t.Error(d)
			}
		})
	}
	if findings[0].Severity != review.Low {
		t.Error("the findings given were changed")
	}
}

// TestRunnerAppliesThePolicy holds that the runner looks for rules behind
// wrappers, and leaves out what the profile does not want.
func TestRunnerAppliesThePolicy(t *testing.T) {
	agent := wrapper{wrapper{describing{finder("x",
		review.Finding{Rule: "x/q", Severity: review.High, Message: "m"}, review.Finding{Rule: "x/str", Severity: review.Low, Message: "m"})}}}
	out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(agent), change(), nil)
	if len(out.Findings) != 1 || out.Findings[0].Rule != "x/q" {
		t.Errorf("findings: %+v", out.Findings)
	}
	if a := out.Agents[0]; a.Findings != 1 || a.Reason != "" {
		t.Errorf("agent: %+v", a)
	}
	plan := agents.Parallel(agent)
	plan.Policies = map[string]review.Policy{"x": {Severities: map[string]review.Severity{"q": review.SeverityNone, "str": review.Medium}}}
	out = newRunner(t, agents.Config{}).Run(t.Context(), plan, change(), nil)
	if len(out.Findings) != 1 || out.Findings[0].Rule != "x/str" || out.Findings[0].Severity != review.Medium {
		t.Errorf("findings: %+v", out.Findings)
	}
	if a := out.Agents[0]; a.Reason != "left out: 1 finding by rules that the config turns off" {
		t.Errorf("agent: %+v", a)
	}
}

func TestRegistryRules(t *testing.T) {
	other := finder("a")
	r, err := agents.NewRegistry(wrapper{describing{finder("x")}}, other)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, rule := range r.Rules() {
		ids = append(ids, rule.ID)
	}
	if d := cmp.Diff([]string{"x/q", "x/sta", "x/str"}, ids); d != "" {
		t.Error(d)
	}
	if agents.RulesOf(other) != nil || agents.RulesOf(nil) != nil {
		t.Error("an agent without rules has some")
	}
}

func TestIntroduced(t *testing.T) {
	f := review.File{Path: "a", Status: review.Modified, Hunks: []review.Hunk{{NewStart: 1, NewLines: 3, Lines: []review.Line{
		{Op: review.Add, New: 1}, {Op: review.Context, New: 2}, {Op: review.Add, New: 3},
	}}}}
	at := func(line int, evidence string) review.Finding {
		return review.Finding{Rule: "x/y", StartLine: line, EndLine: line, Evidence: evidence, Fix: &review.Fix{}}
	}
	tests := []struct {
		name       string
		head, base []review.Finding
		want       []int // lines; 0 for the file as a whole
	}{
		{"new", []review.Finding{at(1, "e")}, nil, []int{1}},
		{"was there, line added again", []review.Finding{at(1, "e")}, []review.Finding{at(9, " e ")}, nil},
		{"one more of the same, on an added line", []review.Finding{at(1, "e"), at(2, "e")}, []review.Finding{at(1, "e")}, []int{1}},
		{"one more, all on added lines", []review.Finding{at(1, "e"), at(3, "e")}, []review.Finding{at(1, "e")}, []int{3}},
		{"brought about from afar", []review.Finding{at(2, "e")}, nil, []int{0}},
		{"another", []review.Finding{at(3, "e")}, []review.Finding{at(3, "f")}, []int{3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []int
			for _, h := range agents.Introduced(f, tt.head, tt.base) {
				got = append(got, h.StartLine)
				if h.StartLine == 0 && h.Fix != nil {
					t.Error("a fix without lines")
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if got := agents.OnAdded(f, []review.Finding{at(1, ""), at(2, ""), at(0, "")}); len(got) != 2 || got[0].StartLine != 1 || got[1].StartLine != 0 {
		t.Errorf("on added lines: %+v", got)
	}
}

func TestPage(t *testing.T) {
	page := string(agents.Page("x", "About x.", append([]agents.Rule{
		{ID: "x/one", Severity: review.High, Category: review.Security, What: "What.", Why: "Why.", Fix: "Do.", Example: "bad:\n```", Silence: "say so", HelpURL: "https://h"},
	}, alike()...)))
	for _, want := range []string{
		"# x\n\nAbout x.", "## one\n\nhigh · security · quiet\n\nWhat. Why.\n", "````text\nbad:\n```\n````", "**Fix:** Do.", "**Silence:** say so", "[More](https://h)",
		"## Rules of one kind", "| <a id=\"r3\"></a>`r3` | low | strict | finds \\| 3 |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "## r3") {
		t.Error("alike rules have sections")
	}
}

func alike() (rules []agents.Rule) {
	for i := range 8 {
		n := string(rune('0' + i))
		rules = append(rules, agents.Rule{ID: "x/r" + n, Severity: review.Low, Profile: review.ProfileStrict, What: "finds | " + n, Why: "same"})
	}
	return rules
}
