package mergereadiness_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/mergereadiness"
	"assay/internal/fault"
	"assay/review"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// host answers with its readiness, or with err.
type host struct {
	review.Host
	ready review.Readiness
	err   error
}

func (h host) Readiness(context.Context) (review.Readiness, error) { return h.ready, h.err }

func run(t *testing.T, p review.Pull, h review.Host, options map[string]string) (agents.Result, error) {
	t.Helper()
	p.Number, p.BaseRef = 7, "main"
	return mergereadiness.New(func() time.Time { return now }).Run(t.Context(), agents.Input{
		Change: &review.Change{Pull: p, Host: h, Files: []review.File{{Path: "a.go"}}},
		Policy: review.Policy{Options: options},
	})
}

// told is "rule severity evidence" of each finding.
func told(findings []review.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", strings.TrimPrefix(f.Rule, "merge-readiness/"), f.Severity, f.Evidence)))
	}
	return all
}

func TestMissing(t *testing.T) {
	tests := []struct {
		name    string
		pull    review.Pull
		ready   review.Readiness
		options map[string]string
		want    []string
	}{
		{name: "ready"},
		{name: "draft", pull: review.Pull{Draft: true}, want: []string{"draft medium"}},
		{name: "title", pull: review.Pull{Title: "[WIP] dates"}, want: []string{"unfinished medium title"}},
		{name: "description", pull: review.Pull{Title: "Wipe dates", Body: "Dates.\n\n> **Do not merge!**\n"}, want: []string{"unfinished medium description"}},
		{name: "description of a template", pull: review.Pull{Body: "<!-- WIP -->\nDo not merge before reading this.\n```\nWIP\n```\nThe WIP limit is 3"}},
		{name: "labels", pull: review.Pull{Labels: []string{"bug", "Do Not Merge/hold", "WIP", "holder"}}, want: []string{"blocking-label medium Do Not Merge/hold", "blocking-label medium WIP"}},
		{name: "labels of one's own", pull: review.Pull{Labels: []string{"wip", "Frozen"}}, options: map[string]string{"blocking_labels": " frozen ,"}, want: []string{"blocking-label medium Frozen"}},
		{name: "conflicts", ready: review.Readiness{Mergeable: "CONFLICTING"}, want: []string{"conflicts high"}},
		{
			name: "required checks",
			ready: review.Readiness{Checks: []review.CheckState{
				{Name: "unit", State: "failure", Required: true}, {Name: "e2e", State: "pending", Required: true}, {Name: "lint", State: "success", Required: true},
				{Name: "docs", State: "cancelled", Required: true}, {Name: "odd", State: "exploded", Required: true}, {Name: "skipped", State: "skipped", Required: true},
				{Name: "optional", State: "failure"}, {Name: "slow", State: "pending"},
				{Name: "assay / ready", State: "pending", Required: true, Ours: true},
			}},
			want: []string{"check-failed high docs", "check-failed high odd", "check-failed high unit", "check-pending medium e2e"},
		},
		{
			name:  "no check is required",
			ready: review.Readiness{Checks: []review.CheckState{{Name: "unit", State: "failure"}, {Name: "e2e", State: "pending"}, {Name: "ours", State: "failure", Ours: true}}},
			want:  []string{"check-failed high unit", "check-pending medium e2e"},
		},
		{name: "review required", ready: review.Readiness{ReviewDecision: "REVIEW_REQUIRED"}, want: []string{"review-missing medium"}},
		{name: "refused", ready: review.Readiness{ReviewDecision: "CHANGES_REQUESTED", ChangesRequested: []string{"ada"}}, want: []string{"changes-requested high"}},
		{name: "refused by anybody", ready: review.Readiness{ChangesRequested: []string{"mallory"}}, want: []string{"changes-requested medium"}},
		{name: "approved over a refusal", ready: review.Readiness{ReviewDecision: "APPROVED", Approvals: []string{"ada"}, ChangesRequested: []string{"mallory"}}},
		{name: "approvals wanted", ready: review.Readiness{Approvals: []string{"ada"}}, options: map[string]string{"approvals": "2"}, want: []string{"review-missing medium"}},
		{name: "approvals given", ready: review.Readiness{Approvals: []string{"ada", "bob"}}, options: map[string]string{"approvals": "2"}},
		{name: "conversations", ready: review.Readiness{Unresolved: 2}, want: []string{"unresolved-conversations medium"}},
		{name: "50 behind", ready: review.Readiness{Behind: 50}},
		{name: "51 behind", ready: review.Readiness{Behind: 51}, want: []string{"base-old low"}},
		{name: "any number behind", ready: review.Readiness{Behind: 999}, options: map[string]string{"max_behind": "0"}},
		{name: "old base", ready: review.Readiness{Behind: 1, BaseDate: now.AddDate(0, 0, -31)}, options: map[string]string{"max_base_age_days": "30"}, want: []string{"base-old low"}},
		{name: "young base", ready: review.Readiness{Behind: 1, BaseDate: now.AddDate(0, 0, -29)}, options: map[string]string{"max_base_age_days": "30"}},
		{name: "old base that has not moved", ready: review.Readiness{BaseDate: now.AddDate(-1, 0, 0)}, options: map[string]string{"max_base_age_days": "30"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ready.Mergeable == "" {
				tt.ready.Mergeable = "MERGEABLE"
			}
			out, err := run(t, tt.pull, host{ready: tt.ready}, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, told(out.Findings)); d != "" {
				t.Error(d)
			}
			if out.Coverage[0].Path != review.Whole || out.Coverage[0].Level != review.Full || out.Coverage[1].Level != review.NotApplicable {
				t.Errorf("receipts %+v", out.Coverage)
			}
		})
	}
}

// TestUnknownIsNeverReady: what is not known makes the agent unavailable where
// waiting helps, and its receipt partial where it does not.
func TestUnknownIsNeverReady(t *testing.T) {
	tests := []struct {
		name    string
		ready   review.Readiness
		retried bool
		reason  string
	}{
		{name: "not computed", ready: review.Readiness{Mergeable: "UNKNOWN", Unresolved: 1}, retried: true},
		{name: "no word", ready: review.Readiness{Unresolved: 1}, retried: true},
		{name: "no permission", ready: review.Readiness{Mergeable: "MERGEABLE", Unresolved: 1, Unknown: []string{"rulesets: no permission", "x"}}, reason: "not known: rulesets: no permission; x"},
		{name: "nothing may be read", ready: review.Readiness{Unresolved: 1, Unknown: []string{"all"}}, reason: "not known: all"},
		{name: "both", ready: review.Readiness{Mergeable: "UNKNOWN", Unresolved: 1, Unknown: []string{"x"}}, retried: true, reason: "not known: x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t, review.Pull{}, host{ready: tt.ready}, nil)
			if (err != nil) != tt.retried || err != nil && fault.KindOf(err) != fault.Transient {
				t.Errorf("error %v", err)
			}
			if got := out.Coverage[0]; tt.reason != "" && (got.Level != review.Partial || got.Reason != tt.reason) {
				t.Errorf("receipt %+v", got)
			}
			if len(out.Findings) != 1 {
				t.Errorf("what is known to be missing was left out: %+v", out.Findings)
			}
		})
	}
}

func TestNothingToMerge(t *testing.T) {
	for name, p := range map[string]review.Pull{"no pull request": {}, "closed": {Number: 7, Closed: true}} {
		out, err := mergereadiness.New(nil).Run(t.Context(), agents.Input{Change: &review.Change{Pull: p, Files: []review.File{{Path: "a.go"}}}})
		if err != nil || len(out.Findings) != 0 || len(out.Coverage) != 2 || out.Coverage[0].Level != review.NotApplicable || out.Coverage[0].Reason == "" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestErrors(t *testing.T) {
	gone := fault.New(fault.Transient, errors.New("GitHub does not answer"))
	if out, err := run(t, review.Pull{}, host{err: gone}, nil); !errors.Is(err, gone) || fault.KindOf(err) != fault.Transient || len(out.Coverage) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := run(t, review.Pull{}, nil, nil); err == nil {
		t.Error("ready without asking anybody")
	}
	for _, options := range []map[string]string{{"max_behind": "many"}, {"approvals": "-1"}, {"max_base_age_days": "10001"}, {"max_behnd": "5"}} {
		if _, err := run(t, review.Pull{}, host{}, options); fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), "option") {
			t.Errorf("%v: %v", options, err)
		}
	}
}

func TestHostile(t *testing.T) {
	ready := review.Readiness{Mergeable: "CONFLICTING"}
	for i := range 5000 {
		ready.Checks = append(ready.Checks, review.CheckState{Name: fmt.Sprint(strings.Repeat("\xff`", 500), i), State: "failure"})
		ready.ChangesRequested = append(ready.ChangesRequested, strings.Repeat("x", 1000))
	}
	p := review.Pull{Body: strings.Repeat("<!--", 100_000) + strings.Repeat("* ", 100_000)}
	for range 1000 {
		p.Labels = append(p.Labels, "wip")
	}
	out, err := run(t, p, host{ready: ready}, nil)
	if err != nil || len(out.Findings) > 70 {
		t.Errorf("%d findings, %v", len(out.Findings), err)
	}
}

func TestRules(t *testing.T) {
	for _, r := range mergereadiness.Rules() {
		if !strings.HasPrefix(r.ID, "merge-readiness/") || r.Severity == 0 || r.What == "" || r.Why == "" || r.Fix == "" || r.Category != review.Process {
			t.Errorf("rule %+v", r)
		}
	}
}
