package strategy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func samples(n int, draftEvery int) []Sample {
	var all []Sample
	for i := range n {
		pull := &review.Pull{Number: i + 1, Draft: i%draftEvery == 0, Labels: []string{}}
		all = append(all, Sample{
			Event: review.Event{Name: "pull_request", Action: "opened", Pull: pull},
			Files: []review.File{{Path: []string{"a.go", "b.md"}[i%2]}},
		})
	}
	return all
}

func TestCompare(t *testing.T) {
	load := func(file string) Settings { return Load(full, Layer{Repository, "a.yml", []byte(file)}) }
	before := load("version: 1\npipelines: {review: {drafts: true}, old: {agents: [secrets]}}")
	tests := []struct {
		name, after string
		samples     []Sample
		want        string
	}{
		{"the same", "version: 1\npipelines: {review: {drafts: true}, old: {agents: [hygiene]}}", samples(20, 4), "nothing would have been different on the last 20 pull requests"},
		{
			"drafts, one gone, one new", "version: 1\npipelines: {review: {}, docs: {paths: {only: ['*.md']}, drafts: true}}", samples(20, 4),
			"review would have run on 15 of the last 20 pull requests (now 20), 5 more skipped; " +
				"docs would have run on 10 of the last 20 pull requests (now 0), 10 more skipped; " +
				"old would have run on 0 of the last 20 pull requests (now 15), 5 fewer skipped",
		},
		{"nothing happened", "version: 1", nil, "nothing that happened could be tried"},
		{"files are not known", "version: 1\npipelines: {review: {drafts: true, paths: {only: ['*.md']}}}", []Sample{{Event: samples(1, 9)[0].Event}}, "nothing that happened could be tried"},
		{
			"other events", "version: 1\npipelines: {review: {on: [push]}, old: {agents: [secrets]}}",
			[]Sample{{Event: review.Event{Name: "push", Pull: &review.Pull{}}}}, "review would have run on 1 of the last 1 events (now 0)",
		},
	}
	for _, tt := range tests {
		after := load(tt.after)
		if len(after.Problems) > 0 {
			t.Fatal(after.Problems)
		}
		if d := cmp.Diff(tt.want, Compare(before, after, tt.samples).String()); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestExplain(t *testing.T) {
	s := Load(full, Layer{Organisation, "org.yml", []byte(organisation)},
		Layer{Repository, "a.yml", []byte("version: 1\npipelines:\n  audit: {enabled: false}\n  review: {when: pr.fork}\n  nightly: {on: [schedule.daily]}\n  odd: {when: 'pr.labels[0] == \"x\"'}\n")})
	x := Explain(review.Event{Name: "pull_request", Action: "opened", Pull: &review.Pull{Number: 1}}, s)
	var got []string
	for _, p := range x.Pipelines {
		got = append(got, p.Pipeline+" "+string(p.Fate)+" "+p.Reason+p.Problem+" from "+p.Origin.String())
	}
	want := []string{
		"review skipped its condition does not hold: pr.fork from repository (a.yml:4)",
		"nightly idle it does not listen to pull_request.opened from repository (a.yml:5)",
		"odd runs pipelines.odd.when could not be evaluated, so the pipeline runs: index out of bounds: 0 from repository (a.yml:6)",
		"audit disabled it is taken away by enabled: false from repository (a.yml:3)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	values := make(map[string]string)
	for _, v := range x.Pipelines[0].Values {
		values[v.Key] = v.Text + " " + v.Origin.String()
	}
	if values["pipelines.review.when"] != "pr.fork repository (a.yml:4)" || values["pipelines.review.gate.fail_on"] != "medium organisation (org.yml:6)" || values["pipelines.review.timeout"] != "10m built-in" {
		t.Errorf("%v", values)
	}
}
