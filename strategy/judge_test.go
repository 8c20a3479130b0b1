package strategy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// verdictRow is a row of docs/verdict.md.
type verdictRow struct {
	findings, review, config, unavailable, coverage string
	want                                            review.Outcome
}

func (r verdictRow) matches(findings, reviewed, config, unavailable, coverage string) bool {
	has := func(cell, value string) bool {
		return cell == "any" || slices.Contains(strings.Split(cell, " or "), value)
	}
	return has(r.findings, findings) && has(r.review, reviewed) && has(r.config, config) &&
		has(r.unavailable, unavailable) && has(r.coverage, coverage)
}

func readRows(t *testing.T) []verdictRow {
	t.Helper()
	doc, err := os.ReadFile("../docs/verdict.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []verdictRow
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 8 || cells[0] == "findings" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		rows = append(rows, verdictRow{cells[0], cells[1], cells[2], cells[3], cells[4], review.Outcome{
			Verdict: review.Verdict(cells[5]), Health: review.Health(cells[6]), Conclusion: review.Conclusion(cells[7]),
		}})
	}
	return rows
}

// circumstance is one way to come to a state of the column "review".
type circumstance struct {
	name, review string
	change       func(*Facts)
	// short says that not all files were examined.
	short bool
}

// wholeFacts is a review of two files by two agents in which all is well.
func wholeFacts() Facts {
	f := Facts{Files: 2, Required: []string{"a", "b"}}
	for _, agent := range f.Required {
		f.Agents = append(f.Agents, review.AgentRun{Name: agent, Status: review.AgentDone})
		for _, path := range []string{"x.go", "y.go"} {
			f.Coverage = append(f.Coverage, review.Coverage{Agent: agent, Path: path, Level: review.Full})
		}
	}
	return f
}

var circumstances = []circumstance{
	{"all is well", "whole", func(*Facts) {}, false},
	{"a file does not concern an agent", "whole", func(f *Facts) { f.Coverage[3].Level = review.NotApplicable }, false},
	{"some files ignored", "whole", func(f *Facts) { f.Files, f.Ignored = 5, 3 }, false},
	{"agents not named as required", "whole", func(f *Facts) { f.Required = nil }, false},
	{"agent unavailable", "part", func(f *Facts) { f.Agents[1].Status = review.AgentUnavailable }, false},
	{"agent still running", "part", func(f *Facts) { f.Agents[1].Status = review.AgentRunning }, false},
	{"agent waiting", "part", func(f *Facts) { f.Agents[1].Status = review.AgentWaiting }, false},
	{"agent of an unknown status", "part", func(f *Facts) { f.Agents[1].Status = "" }, false},
	{"required agent never ran", "part", func(f *Facts) { f.Agents = f.Agents[:1] }, false},
	{"extra agent unavailable", "part", func(f *Facts) {
		f.Agents = append(f.Agents, review.AgentRun{Name: "c", Status: review.AgentUnavailable})
	}, false},
	{"a file that no agent examines", "whole", func(f *Facts) {
		f.Coverage[1].Level, f.Coverage[3].Level = review.NotApplicable, review.NotApplicable
	}, true},
	{"a file that only an unavailable agent examined", "part", func(f *Facts) {
		f.Agents[1].Status, f.Coverage[1].Level = review.AgentUnavailable, review.NotApplicable
	}, true},
	{"what an unavailable agent left out", "part", func(f *Facts) {
		f.Agents[1].Status, f.Coverage[3].Level = review.AgentUnavailable, review.Skipped
	}, false},
	{"a file without any receipt", "part", func(f *Facts) {
		f.Paths, f.Coverage = []string{"x.go", "y.go"}, []review.Coverage{f.Coverage[0], f.Coverage[2]}
	}, true},
	{"agent without receipts", "part", func(f *Facts) { f.Coverage = f.Coverage[:2] }, false},
	{"file without receipt", "part", func(f *Facts) { f.Coverage = f.Coverage[:3] }, false},
	{"one file's receipt twice", "part", func(f *Facts) { f.Coverage[3].Path = "x.go" }, false},
	{"file examined in part", "part", func(f *Facts) { f.Coverage[0].Level = review.Partial }, true},
	{"file skipped", "part", func(f *Facts) { f.Coverage[0].Level = review.Skipped }, true},
	{"receipt of an unknown level", "part", func(f *Facts) { f.Coverage[0].Level = "" }, true},
	{"truncated", "part", func(f *Facts) { f.Truncated = "over 3,000 files" }, true},
	{"truncated to nothing", "part", func(f *Facts) { *f = nothingToReview(*f); f.Truncated = "GitHub timed out" }, true},
	{"no agents at all", "nobody", func(f *Facts) { f.Agents, f.Required = nil, nil }, false},
	{"no agent ran", "nobody", func(f *Facts) { f.Agents = nil }, false},
	{"all unavailable", "nobody", func(f *Facts) {
		f.Agents[0].Status, f.Agents[1].Status = review.AgentUnavailable, review.AgentUnavailable
	}, false},
	{"no receipts at all", "nobody", func(f *Facts) { f.Coverage = nil }, false},
	{"no files", "nothing", func(f *Facts) { *f = nothingToReview(*f) }, false},
	{"all files ignored", "nothing", func(f *Facts) { f.Ignored, f.Coverage = 2, nil }, false},
	{"no file concerns any agent", "nothing", func(f *Facts) { concernsNobody(f) }, true},
	{"no file concerns any agent, nor does the whole", "nothing", func(f *Facts) { concernsNobody(f); looks(f, "a", review.NotApplicable) }, true},
	{"only the whole concerns an agent", "whole", func(f *Facts) { concernsNobody(f); looks(f, "a", review.Full) }, true},
	{"the whole beside files", "whole", func(f *Facts) { looks(f, "a", review.Full) }, false},
	{"the whole in part beside files", "part", func(f *Facts) { looks(f, "a", review.Partial) }, false},
	{"the whole left out beside files", "part", func(f *Facts) { looks(f, "a", review.Skipped) }, false},
	{"the whole in place of a file", "part", func(f *Facts) { f.Coverage[3].Path = review.Whole }, false},
	{"the whole in place of all files", "part", func(f *Facts) { f.Coverage = f.Coverage[:2]; looks(f, "b", review.Full) }, false},
	{"the whole does not concern an agent without receipts", "part", func(f *Facts) { f.Coverage = f.Coverage[:2]; looks(f, "b", review.NotApplicable) }, false},
	{"the whole where there are no files", "whole", func(f *Facts) { *f = nothingToReview(*f); looks(f, "a", review.Full) }, false},
	{"the whole in part where there are no files", "part", func(f *Facts) { *f = nothingToReview(*f); looks(f, "a", review.Partial) }, false},
	{"the whole where all files are ignored", "whole", func(f *Facts) { f.Ignored, f.Coverage = 2, nil; looks(f, "b", review.Full) }, false},
	{"one left the whole out where there are no files", "part", func(f *Facts) {
		*f = nothingToReview(*f)
		looks(f, "a", review.Full)
		looks(f, "b", review.Skipped)
	}, false},
	{"the whole left out where there are no files", "nobody", func(f *Facts) { *f = nothingToReview(*f); looks(f, "a", review.Skipped) }, false},
	{"the whole does not concern anybody where there are no files", "nothing", func(f *Facts) { *f = nothingToReview(*f); looks(f, "a", review.NotApplicable) }, false},
	{"unavailable beside the whole where there are no files", "part", func(f *Facts) {
		*f = nothingToReview(*f)
		looks(f, "a", review.Full)
		f.Agents[1].Status = review.AgentUnavailable
	}, false},
	{"the only agent that looks at the whole unavailable", "nobody", func(f *Facts) {
		*f = nothingToReview(*f)
		looks(f, "a", review.Skipped)
		f.Agents[0].Status = review.AgentUnavailable
	}, false},
}

// looks adds an agent's receipt for the whole.
func looks(f *Facts, agent string, level review.Level) {
	f.Coverage = append(f.Coverage, review.Coverage{Agent: agent, Path: review.Whole, Level: level})
}

func concernsNobody(f *Facts) {
	for i := range f.Coverage {
		f.Coverage[i].Level = review.NotApplicable
	}
}

func nothingToReview(f Facts) Facts {
	f.Files, f.Coverage = 0, nil
	return f
}

func findingsColumn(worst, failOn review.Severity) string {
	switch {
	case worst == review.SeverityNone:
		return "none"
	case failOn == review.SeverityNone:
		return "advisory"
	case worst < failOn:
		return "below"
	case worst == review.Critical:
		return "critical"
	default:
		return "at"
	}
}

// TestJudgeTable holds the code and docs/verdict.md to one another.
func TestJudgeTable(t *testing.T) {
	rows := readRows(t)
	used := make([]bool, len(rows))
	combinations(func(worst review.Severity, gate Gate, c circumstance, bad bool) {
		facts := wholeFacts()
		if worst > review.SeverityNone {
			// The order and the number of findings must not matter.
			facts.Findings = []review.Finding{{Severity: review.Info}, {Severity: worst}, {Severity: review.Info}}
		}
		config := "good"
		if bad {
			config, facts.Problems = "bad", []review.Problem{{Line: 1}}
		}
		c.change(&facts)
		coverage := "enough"
		demand := gate.RequireCoverage
		if c.short && demand.Percent > 0 && (!slices.Contains(demand.Paths, "other/**") || facts.Truncated != "") {
			coverage = "short"
		}
		at := fmt.Sprintf("worst %q, gate %+v, %s, config %s", worst, gate, c.name, config)

		got := Judge(gate, facts)
		found := 0
		for i, r := range rows {
			if !r.matches(findingsColumn(worst, gate.FailOn), c.review, config, string(gate.OnUnavailable), coverage) {
				continue
			}
			used[i] = true
			found++
			r.want.Reason = got.Reason
			if d := cmp.Diff(r.want, got); d != "" {
				t.Errorf("%s: (-table +code)\n%s", at, d)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d rows in docs/verdict.md, want 1", at, found)
		}
		if got.Reason == "" || strings.Contains(got.Reason, "\n") {
			t.Errorf("%s: reason %q, want one line", at, got.Reason)
		}
	})
	for i, u := range used {
		if !u {
			t.Errorf("row %v of docs/verdict.md is reached by no combination", rows[i])
		}
	}
}

// combinations visits every combination of what Judge looks at.
func combinations(visit func(worst review.Severity, gate Gate, c circumstance, bad bool)) {
	severities := append(review.Severities(), review.SeverityNone)
	for _, failOn := range severities {
		for _, worst := range severities {
			for _, c := range circumstances {
				for _, unavailable := range []OnUnavailable{UnavailableNeutral, UnavailableFail} {
					for _, demand := range []RequireCoverage{{}, {Percent: 100}, {Percent: 51, Paths: []string{"*.go"}}, {Percent: 100, Paths: []string{"other/**"}}} {
						for _, retry := range []time.Duration{0, time.Hour} {
							for _, bad := range []bool{false, true} {
								visit(worst, Gate{FailOn: failOn, OnUnavailable: unavailable, RequireCoverage: demand, RetryFor: retry}, c, bad)
							}
						}
					}
				}
			}
		}
	}
}

func TestJudgeReason(t *testing.T) {
	high := Gate{FailOn: review.High}
	tests := []struct {
		name   string
		gate   Gate
		change func(*Facts)
		want   string
	}{
		{"clean", high, func(*Facts) {}, "no findings in 2 files"},
		{"ignored files are not counted", high, func(f *Facts) { f.Files, f.Ignored = 3, 1 }, "no findings in 2 files"},
		{
			"one", high, func(f *Facts) { f.Findings = []review.Finding{{Severity: review.Critical}} },
			"1 critical finding, and the gate fails on high",
		},
		{"several", high, func(f *Facts) {
			f.Findings = []review.Finding{{Severity: review.Low}, {Severity: review.High}, {Severity: review.Info}, {Severity: review.High}}
		}, "2 high, 1 low and 1 info findings, and the gate fails on high"},
		{
			"below", high, func(f *Facts) { f.Findings = []review.Finding{{Severity: review.Low}} },
			"1 low finding, below the gate (high)",
		},
		{
			"advisory",
			Gate{},
			func(f *Facts) { f.Findings = []review.Finding{{Severity: review.High}} },
			"1 high finding, and the gate never fails",
		},
		{"unavailable", high, func(f *Facts) {
			f.Agents[0].Status, f.Agents[0].Reason = review.AgentUnavailable, "timed out\nafter 10m"
		}, "no findings in 2 files; the agent a was unavailable (timed out after 10m)"},
		{
			"nobody", high, func(f *Facts) { f.Agents = f.Agents[:1]; f.Agents[0].Status = review.AgentUnavailable },
			"the agent a was unavailable; the agent b was unavailable (it never ran)",
		},
		{"no agents", high, func(f *Facts) { f.Agents, f.Required = nil, nil }, "the pipeline has no agents"},
		{"gaps", high, func(f *Facts) {
			f.Coverage[0] = review.Coverage{Agent: "a", Path: "x.go", Level: review.Skipped, Reason: "GitHub sent no patch"}
		}, "no findings in 2 files; not examined fully: x.go (a: GitHub sent no patch)"},
		{"many gaps", high, func(f *Facts) {
			for i := range 5 {
				f.Coverage = append(f.Coverage, review.Coverage{Agent: "a", Path: fmt.Sprint("z", i), Level: review.Partial})
			}
		}, "no findings in 2 files; not examined fully: z0 (a), z1 (a), z2 (a) and 2 more files"},
		{
			"receipts", high, func(f *Facts) { f.Coverage = f.Coverage[:3] },
			"no findings in 2 files; the agent b left 1 file without a receipt",
		},
		{
			"truncated", high, func(f *Facts) { f.Truncated = "GitHub lists 3,000 files at most" },
			"no findings in 2 files; the change was not read whole (GitHub lists 3,000 files at most)",
		},
		{
			"config", high, func(f *Facts) { f.Problems = make([]review.Problem, 2) },
			"no findings in 2 files; the config has 2 problems, so it is not in force as it is written",
		},
		{"no files", high, func(f *Facts) { *f = nothingToReview(*f) }, "nothing to review: the change has no files"},
		{
			"all ignored", high, func(f *Facts) { f.Ignored, f.Coverage = 2, nil },
			"nothing to review: the config ignores 2 files of the change",
		},
		{"no file concerns any agent", high, concernsNobody, "nothing to review: 2 files, of which none concerns the agents"},
		{"the whole", high, func(f *Facts) { *f = nothingToReview(*f); looks(f, "a", review.Full) }, "no findings in the repository"},
		{"the whole of a pull request", high, func(f *Facts) {
			concernsNobody(f)
			looks(f, "a", review.Full)
			f.Whole = "the pull request"
		}, "no findings in the pull request"},
		{"the whole in part", high, func(f *Facts) {
			looks(f, "a", review.Partial)
			f.Coverage[4].Reason, f.Whole = "GitHub did not say", "the pull request"
		}, "no findings in 2 files; not examined fully: the pull request (a: GitHub did not say)"},
		{
			"too little examined", Gate{FailOn: review.High, RequireCoverage: RequireCoverage{Percent: 80}},
			func(f *Facts) { f.Coverage[1].Level, f.Coverage[3].Level = review.NotApplicable, review.NotApplicable },
			"no findings in 2 files; 1 of 2 files examined fully, and the gate demands 80%",
		},
		{
			"enough examined", Gate{FailOn: review.High, RequireCoverage: RequireCoverage{Percent: 50}},
			func(f *Facts) { f.Coverage[1].Level, f.Coverage[3].Level = review.NotApplicable, review.NotApplicable },
			"no findings in 2 files",
		},
		{
			"tried again", Gate{FailOn: review.High, RetryFor: 30 * time.Minute},
			func(f *Facts) { f.Agents[0].Status, f.Agents[0].Dependency = review.AgentUnavailable, "openai" },
			"no findings in 2 files; the agent a was unavailable; what is missing is tried again for 30m",
		},
		{"long reasons are cut", high, func(f *Facts) {
			f.Agents[0].Status, f.Agents[0].Reason = review.AgentUnavailable, strings.Repeat("é", 1000)
		}, "no findings in 2 files; the agent a was unavailable (" + strings.Repeat("é", 200) + "…)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := wholeFacts()
			tt.change(&facts)
			if got := Judge(tt.gate, facts).Reason; got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
