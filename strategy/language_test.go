package strategy

import (
	"fmt"
	"strings"
	"testing"

	"assay/review"
)

// event makes an event of a line: its name, then what is different from an open
// pull request by alice from topic to main, as "draft label=wip title=X".
func eventOf(t *testing.T, line string) (review.Event, []review.File) {
	t.Helper()
	words := strings.Fields(line)
	name, action, _ := strings.Cut(words[0], ".")
	pull := review.Pull{Number: 7, Title: "A change", Author: review.Actor{Login: "alice"}, BaseRef: "main", BaseSHA: "b", HeadRef: "topic", HeadSHA: "h"}
	ev := review.Event{Name: name, Action: action, Pull: &pull, Repo: review.Repo{Owner: "acme", Name: "app", DefaultBranch: "main"}, Sender: review.Actor{Login: "alice"}}
	var files []review.File
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "draft":
			pull.Draft = true
		case "closed":
			pull.Closed = true
		case "fork":
			pull.Fork = true
		case "label":
			pull.Labels = append(pull.Labels, value)
		case "title":
			pull.Title = strings.ReplaceAll(value, "_", " ")
		case "by":
			pull.Author = review.Actor{Login: value, Bot: strings.HasSuffix(value, "[bot]")}
		case "base":
			pull.BaseRef = value
		case "edited":
			ev.Edited = strings.Split(value, ",")
		case "retargeted":
			ev.Retargeted = true
		case "check":
			ev.Check = &review.Check{Name: "assay / " + value}
		case "file":
			files = append(files, review.File{Path: value, Status: review.Modified})
		case "from":
			files[len(files)-1].OldPath = value
		case "nofiles":
			files = []review.File{}
		case "commits":
			pull.Number, pull.BaseRef, pull.HeadRef = 0, "", value
		case "queue":
			pull.Number, pull.BaseRef = 0, value
		case "whole":
			pull.Number, pull.BaseSHA = 0, ""
		case "issue":
			ev.Issue = &review.Issue{Number: 3, Title: value, Author: review.Actor{Login: "carol"}, Labels: []string{"bug"}}
			pull = review.Pull{}
		case "nothing":
			ev.Pull = nil
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	return ev, files
}

// configs of the table.
var languageConfigs = map[string]string{
	"builtin": "version: 1",
	"plain":   "version: 1\npipelines: {p: {agents: [secrets]}}",
	"drafts":  "version: 1\npipelines: {p: {drafts: true}}",
	"labels":  "version: 1\npipelines: {p: {labels: {require: [go, Rust], skip: [wip, 'on hold']}}}",
	"authors": "version: 1\npipelines: {p: {authors: {only: ['al*', bob], skip: [alfred]}}}",
	"bots":    "version: 1\npipelines: {p: {authors: {bots: skip, skip: ['ren*vate']}}}",
	"branch":  "version: 1\npipelines: {p: {on: [pull_request.opened, push, merge_group.checks_requested], branches: [main, 'release/**']}}",
	"title":   "version: 1\npipelines: {p: {title: {skip: [WIP, do not merge, '[skip]']}}}",
	"paths":   "version: 1\npipelines: {p: {on: [pull_request.opened, push, schedule.daily], paths: {only: ['web/**'], ignore: ['**/*.md']}}}",
	"ignore":  "version: 1\npipelines: {p: {paths: {ignore: ['**/*.md']}}}",
	"when":    "version: 1\npipelines: {p: {when: 'pr.base_ref == \"main\" && !(\"no\" in pr.labels)'}}",
	"files":   "version: 1\npipelines: {p: {when: 'files.exists(f, f.path.endsWith(\".go\"))'}}",
	"sender":  "version: 1\npipelines: {p: {on: [pull_request.labeled, manual.run], when: 'sender.login == \"alice\" && repo.full_name == \"acme/app\" && event.name.startsWith(\"pull_request\")'}}",
	"index":   "version: 1\npipelines: {p: {when: 'pr.labels[0] == \"go\"'}}",
	"every": `
version: 1
schedules: {nightly: 0 2 * * *}
pipelines:
  p:
    on:
      - pull_request.opened
      - pull_request.converted_to_draft
      - pull_request.edited
      - pull_request.labeled
      - pull_request.unlabeled
      - pull_request.closed
      - pull_request_review.submitted
      - pull_request_review.dismissed
      - check_suite.requested
      - check_suite.completed
      - merge_group.checks_requested
      - push
      - issues.opened
      - repository.health_check
      - schedule.nightly
      - schedule.weekly
      - manual.run
    labels: {skip: [hold]}
`,
	"mono": `
version: 1
pipelines:
  default: {agents: [hygiene]}
  web: {paths: {only: ["web/**"]}}
  api: {paths: {only: ["api/**"]}}
`,
	"mono2": "version: 1\npipelines: {default: {on: [pull_request.opened, push], agents: [hygiene]}, a: {on: [pull_request.opened], when: 'pr.fork'}}",
}

func TestLanguage(t *testing.T) {
	const (
		run, none  = "run p", ""
		isDraft    = "skip p: the pull request is a draft"
		untilReady = "; it is reviewed when marked ready for review"
		queue      = "the pipeline reviews pull requests, before they are queued"
		noWeb      = "no changed file matches paths.only: web/**"
		noAPI      = "no changed file matches paths.only: api/**"
	)
	tests := []struct{ config, event, want string }{
		{"builtin", "pull_request.opened", "run review"},
		{"builtin", "pull_request.opened by=x[bot] fork", "run review"},
		{"builtin", "merge_group.checks_requested queue=main", "skip review: " + queue},
		{"builtin", "push commits=main", none},
		{"builtin", "check_suite.rerequested commits=main", none},
		{"builtin", "check_suite.rerequested", "run review"},
		{"builtin", "pull_request.edited edited=title", none},
		{"builtin", "pull_request.edited edited=base retargeted", "run review"},
		{"builtin", "pull_request.edited edited=base retargeted draft", "skip review: the pull request is a draft" + untilReady},
		{"builtin", "pull_request.opened nothing", "skip review: the event names no pull request"},
		{"builtin", "manual.run", none},

		{"drafts", "pull_request.opened draft", run},
		{"drafts", "pull_request.opened draft closed", "skip p: the pull request is closed"},
		{"plain", "pull_request.opened draft", isDraft + untilReady},

		{"labels", "pull_request.opened label=go", run},
		{"labels", "pull_request.opened label=GO", run},
		{"labels", "pull_request.opened label=rust label=bug", run},
		{"labels", "pull_request.opened", "skip p: the pull request has none of the labels go, Rust"},
		{"labels", "pull_request.opened label=golang", "skip p: the pull request has none of the labels go, Rust"},
		{"labels", "pull_request.opened label=go label=WIP", `skip p: the pull request has the label "WIP"`},
		{"labels", "check_run.rerequested check=p label=go", run},
		{"labels", "check_run.rerequested check=p", "skip p: the pull request has none of the labels go, Rust"},
		{"labels", "check_suite.rerequested label=wip", `skip p: the pull request has the label "wip"`},

		{"authors", "pull_request.opened", run},
		{"authors", "pull_request.opened by=AL", run},
		{"authors", "pull_request.opened by=Bob", run},
		{"authors", "pull_request.opened by=bobby", "skip p: the pull request is by bobby, who is not among authors.only"},
		{"authors", "pull_request.opened by=alfred", "skip p: the pull request is by alfred"},
		{"authors", "pull_request.opened by=hal", "skip p: the pull request is by hal, who is not among authors.only"},
		{"bots", "pull_request.opened by=dependabot[bot]", "skip p: the pull request is by a bot, dependabot[bot]"},
		{"bots", "pull_request.opened by=renovate", "skip p: the pull request is by renovate"},
		{"bots", "pull_request.opened by=renovated", run},
		{"bots", "pull_request.opened", run},
		{"plain", "pull_request.opened by=dependabot[bot]", run},

		{"branch", "pull_request.opened", run},
		{"branch", "pull_request.opened base=release/1/x", run},
		{"branch", "pull_request.opened base=dev", "skip p: the branch dev is not among branches"},
		{"branch", "pull_request.opened base=mainline", "skip p: the branch mainline is not among branches"},
		{"branch", "push commits=main", run},
		{"branch", "push commits=refs/heads/main", run},
		{"branch", "push commits=dev", "skip p: the branch dev is not among branches"},
		{"branch", "merge_group.checks_requested queue=refs/heads/release/1", run},
		{"branch", "merge_group.checks_requested queue=dev", "skip p: the branch dev is not among branches"},

		{"title", "pull_request.opened title=Add_a_thing", run},
		{"title", "pull_request.opened title=WIP:_add", `skip p: the title of the pull request has "WIP"`},
		{"title", "pull_request.opened title=[wip]_add", `skip p: the title of the pull request has "WIP"`},
		{"title", "pull_request.opened title=Wiping_disks", run},
		{"title", "pull_request.opened title=Rewip", run},
		{"title", "pull_request.opened title=Wiping_the_WIP", `skip p: the title of the pull request has "WIP"`},
		{"title", "pull_request.opened title=please_DO_not_merge", `skip p: the title of the pull request has "do not merge"`},
		{"title", "pull_request.opened title=do_not_merged", run},
		{"title", "pull_request.opened title=a[skip]b", `skip p: the title of the pull request has "[skip]"`},

		{"paths", "pull_request.opened", "needs files"},
		{"paths", "pull_request.opened draft", isDraft},
		{"paths", "pull_request.opened file=web/a.ts", run},
		{"paths", "pull_request.opened file=api/a.go file=web/a.ts", run},
		{"paths", "pull_request.opened file=api/a.go", "skip p: " + noWeb},
		{"paths", "pull_request.opened file=web/README.md", "skip p: " + noWeb},
		{"paths", "pull_request.opened file=api/a.ts from=web/a.ts", run},
		{"paths", "pull_request.opened nofiles", "skip p: " + noWeb},
		{"paths", "push commits=main file=api/a.go", "skip p: " + noWeb},
		{"paths", "push commits=main file=web/a.ts", run},
		{"paths", "push commits=main", "needs files"},
		{"paths", "schedule.daily whole", run},
		{"paths", "pull_request.synchronize", none},
		{"ignore", "pull_request.opened file=a.md", "skip p: all changed files match paths.ignore"},
		{"ignore", "pull_request.opened file=a.md file=a.go", run},

		{"when", "pull_request.opened", run},
		{"when", "pull_request.opened base=dev", `skip p: its condition does not hold: pr.base_ref == "main" && !("no" in pr.labels)`},
		{"when", "pull_request.opened label=no", `skip p: its condition does not hold: pr.base_ref == "main" && !("no" in pr.labels)`},
		{"when", "check_run.rerequested check=p label=no", `skip p: its condition does not hold: pr.base_ref == "main" && !("no" in pr.labels)`},
		{"files", "pull_request.opened", "needs files"},
		{"files", "pull_request.opened draft", isDraft + untilReady},
		{"files", "pull_request.opened file=a.go", run},
		{"files", "pull_request.opened file=a.md", `skip p: its condition does not hold: files.exists(f, f.path.endsWith(".go"))`},
		{"files", "pull_request.opened nofiles", `skip p: its condition does not hold: files.exists(f, f.path.endsWith(".go"))`},
		{"files", "check_suite.rerequested file=a.go", run},
		{"sender", "pull_request.labeled", run},
		{"sender", "manual.run", `skip p: its condition does not hold: sender.login == "alice" && repo.full_name == "acme/app" && event.name.startsWith("pull_request")`},
		{"index", "pull_request.opened label=go", run},
		{"index", "pull_request.opened label=c", `skip p: its condition does not hold: pr.labels[0] == "go"`},
		{"index", "pull_request.opened", "run p (pipelines.p.when could not be evaluated, so the pipeline runs: index out of bounds: 0)"},

		{"every", "pull_request.opened", run},
		{"every", "pull_request.synchronize", none},
		{"every", "pull_request.converted_to_draft draft", isDraft},
		{"every", "pull_request.edited edited=title", run},
		{"every", "pull_request.edited edited=body,base", run},
		{"every", "pull_request.edited edited=body", none},
		{"every", "pull_request.edited", run},
		{"every", "pull_request.labeled label=x", run},
		{"every", "pull_request.labeled label=hold", `skip p: the pull request has the label "hold"`},
		{"every", "pull_request.unlabeled", run},
		{"every", "pull_request.closed closed", run},
		{"every", "pull_request.closed closed label=hold", `skip p: the pull request has the label "hold"`},
		{"every", "pull_request.labeled closed", "skip p: the pull request is closed"},
		{"every", "pull_request_review.submitted", run},
		{"every", "pull_request_review.dismissed draft", isDraft},
		{"every", "pull_request_review.edited", none},
		{"every", "check_suite.requested", run},
		{"every", "check_suite.completed", run},
		{"every", "check_suite.completed closed", "skip p: the pull request is closed"},
		{"every", "check_suite.rerequested commits=main", run},
		{"every", "check_run.rerequested check=p commits=main", run},
		{"every", "check_run.rerequested check=other", `skip other: the config has no pipeline "other" any more`},
		{"every", "merge_group.checks_requested queue=main", run},
		{"every", "merge_group.destroyed queue=main", none},
		{"every", "push commits=main label=hold", run},
		{"every", "issues.opened issue=Broken", run},
		{"every", "issues.closed issue=Broken", none},
		{"every", "repository.health_check whole", run},
		{"every", "schedule.nightly whole", run},
		{"every", "schedule.weekly whole", run},
		{"every", "schedule.daily whole", none},
		{"every", "schedule.nightly nothing", "skip p: the event names no pull request"},
		{"every", "manual.run", run},
		{"every", "manual.run whole", run},
		{"every", "issue_comment.created", none},

		{"mono", "pull_request.opened file=web/a", "run web | skip api: " + noAPI + " | skip default: other pipelines run on this: web"},
		{"mono", "pull_request.opened file=web/a file=api/b", "run web | run api | skip default: other pipelines run on this: web, api"},
		{"mono", "pull_request.opened file=docs/a", "run default | skip web: " + noWeb + " | skip api: " + noAPI},
		{"mono", "pull_request.opened", "needs files"},
		{"mono", "pull_request.opened draft file=docs/a", "skip web: the pull request is a draft" + untilReady + " | skip api: the pull request is a draft" + untilReady + " | skip default: the pull request is a draft" + untilReady},
		{"mono", "pull_request.labeled file=docs/a", none},
		{"mono", "push commits=main file=docs/a", none},
		{"mono", "check_run.rerequested check=default file=web/a", "run default"},
		{"mono", "check_suite.rerequested file=api/a", "run api | skip web: " + noWeb + " | skip default: other pipelines run on this: api"},
		{"mono", "merge_group.checks_requested queue=main file=web/a", "skip web: " + queue + " | skip api: " + queue + " | skip default: " + queue},
		{"mono2", "pull_request.opened", "run default | skip a: its condition does not hold: pr.fork"},
		{"mono2", "pull_request.opened fork", "run a | skip default: other pipelines run on this: a"},
		{"mono2", "push commits=main", "run default"},
	}
	if len(tests) < 100 {
		t.Errorf("%d cases", len(tests))
	}
	for _, tt := range tests {
		s := Load(full, Layer{Repository, "a.yml", []byte(languageConfigs[tt.config])})
		if len(s.Problems) > 0 {
			t.Fatalf("%s: %v", tt.config, s.Problems)
		}
		ev, files := eventOf(t, tt.event)
		s.Files = files
		d := Decide(ev, s)
		got := told(d)
		if got != tt.want {
			t.Errorf("%s on %s:\ngot  %s\nwant %s", tt.event, tt.config, got, tt.want)
		}
		agree(t, ev, s, d)
	}
}

// told is line, with what is wrong with conditions.
func told(d Decision) string {
	if d.NeedsFiles {
		return "needs files"
	}
	text := line(d)
	for _, p := range d.Plans {
		for _, problem := range p.Problems {
			text = strings.Replace(text, "run "+p.Pipeline, fmt.Sprintf("run %s (%s)", p.Pipeline, problem.Message), 1)
		}
	}
	return text
}

// agree holds Explain to Decide: each pipeline once, with the same fate, and a
// reason unless it runs.
func agree(t *testing.T, ev review.Event, s Settings, d Decision) {
	t.Helper()
	x := Explain(ev, s)
	if x.NeedsFiles != d.NeedsFiles {
		t.Fatalf("Explain needs files: %t, Decide: %t", x.NeedsFiles, d.NeedsFiles)
	}
	if x.NeedsFiles {
		return
	}
	fates := make(map[string]Fate)
	for _, p := range x.Pipelines {
		if _, twice := fates[p.Pipeline]; twice || p.Fate == "" || (p.Reason == "") != (p.Fate == Runs) {
			t.Fatalf("%s: %+v", ev, p)
		}
		fates[p.Pipeline] = p.Fate
	}
	counts := make(map[Fate]int)
	for _, p := range d.Plans {
		if fates[p.Pipeline] != Runs {
			t.Fatalf("%s runs, and is told to be %q", p.Pipeline, fates[p.Pipeline])
		}
	}
	for _, p := range d.Skips {
		if fates[p.Pipeline] != Skipped {
			t.Fatalf("%s is skipped, and told to be %q", p.Pipeline, fates[p.Pipeline])
		}
	}
	for _, fate := range fates {
		counts[fate]++
	}
	if counts[Runs] != len(d.Plans) || counts[Skipped] != len(d.Skips) {
		t.Fatalf("fates %v of %s", fates, line(d))
	}
}
