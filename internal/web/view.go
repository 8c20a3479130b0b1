package web

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"assay/reports"
	"assay/review"
)

// Bounds of what one page shows; the JSON twin has the rest.
const (
	maxFindings = 300
	maxGaps     = 500
	maxLines    = 60
	maxColumns  = 500
	maxMessage  = 4000
	// first is the number of findings named in the verdict's box.
	first = 3
)

// frame is what stands around every page.
type frame struct {
	title   string
	refresh bool
	css     string
	mark    string
	version string
}

// view is a run as its page shows it: all text made visible, all places
// linked, all numbers in words.
type view struct {
	id, title               string
	number                  string
	pull, repo, repoURL     string
	branch, sha, commit     string
	author, event, pipeline string
	attempt, took           string
	queued                  time.Time
	state                   state
	headline                string
	reason, health          string
	missing                 []string
	problems                []problem
	agents                  []agentView
	agentsDone              string
	progress                int
	progressTone            string
	counts                  []count
	findings                []findingView
	urgent                  []findingView
	moreFindings            int
	coverage                string
	gaps                    []gap
	moreGaps                int
	final                   bool
}

type problem struct{ place, url, message string }

type count struct {
	severity review.Severity
	n        int
}

type gap struct{ path, url, agent, level, reason string }

func viewOf(run review.Run, githubURL string) view {
	links := reports.NewLinks(githubURL, run)
	v := view{
		id: run.ID, title: line(run.Pull.Title), pull: links.Pull(), repo: line(run.Repo.String()), repoURL: links.Repo(),
		branch: line(run.Pull.HeadRef), sha: line(shortSHA(run.Pull.HeadSHA)), commit: links.Commit(),
		author: line(run.Pull.Author.Login), event: line(run.Event), pipeline: line(run.Pipeline),
		took: took(run), queued: run.QueuedAt, state: stateOf(run), final: run.Status.Final(),
		headline: headline(run), reason: reasonOf(run), health: healthWords(run),
		agents: agentViews(run), missing: missing(run),
	}
	if run.Repo.Owner == "" {
		v.repo = "local checkout"
	}
	if run.Pull.Number > 0 {
		v.number = fmt.Sprintf("#%d", run.Pull.Number)
	}
	if run.Attempt > 1 {
		v.attempt = fmt.Sprintf("attempt %d", run.Attempt)
	}
	v.agentsDone, v.progress, v.progressTone = progress(run)
	for _, p := range run.Problems {
		v.problems = append(v.problems, problemOf(p, links))
	}
	v.addFindings(run, links)
	v.addCoverage(run, links)
	return v
}

// reasonOf is why the run came out as it did, and what it says of the config.
func reasonOf(run review.Run) string {
	reason := reports.Sentence(line(run.Outcome.Reason))
	if run.ConfigChange != "" {
		reason = strings.TrimSpace(reason + " This changes the config. " + line(run.ConfigChange))
	}
	return reason
}

// problemOf leads to the file where that is in the repository.
func problemOf(p review.Problem, links reports.Links) problem {
	place := line(fmt.Sprintf("%s:%d", p.Path, p.Line))
	if p.Layer != "" {
		return problem{place + " (the " + line(p.Layer) + "'s)", "", line(p.Message)}
	}
	return problem{place, links.Lines(p.Path, p.Line, p.Line), line(p.Message)}
}

func (v *view) addFindings(run review.Run, links reports.Links) {
	counts := review.Count(run.Findings)
	for _, s := range review.Severities() {
		if counts[s] > 0 {
			v.counts = append(v.counts, count{s, counts[s]})
		}
	}
	sorted := reports.Sorted(run.Findings)
	if len(sorted) > maxFindings {
		v.moreFindings = len(sorted) - maxFindings
		sorted = sorted[:maxFindings]
	}
	anchors := make(map[string]bool, len(sorted))
	for _, f := range sorted {
		fv := findingOf(f, links)
		for n := 2; anchors[fv.anchor]; n++ { // two findings of one ID keep apart
			fv.anchor = fmt.Sprintf("%s-%d", anchor(f), n)
		}
		anchors[fv.anchor] = true
		v.findings = append(v.findings, fv)
		if f.Severity >= review.High && len(v.urgent) < first {
			v.urgent = append(v.urgent, fv)
		}
	}
}

func (v *view) addCoverage(run review.Run, links reports.Links) {
	if len(run.Coverage) == 0 {
		return
	}
	gaps := reports.Gaps(run.Coverage)
	v.coverage = coverageWords(run, gaps)
	if len(gaps) > maxGaps {
		v.moreGaps = len(gaps) - maxGaps
		gaps = gaps[:maxGaps]
	}
	for _, g := range gaps {
		level := "not examined"
		if g.Level == review.Partial {
			level = "partly examined"
		}
		path, url := line(g.Path), links.Lines(g.Path, 0, 0)
		if g.Path == review.Whole {
			path, url = reports.WholeWords(run), ""
		}
		v.gaps = append(v.gaps, gap{path, url, line(g.Agent), level, cmp.Or(line(g.Reason), "no reason given")})
	}
}

// coverageWords says how much of the change was examined. The whole is no file.
func coverageWords(run review.Run, gaps []review.Coverage) string {
	files, missed := countFilesIn(run.Coverage), countFilesIn(gaps)
	switch {
	case missed > 0:
		return fmt.Sprintf("%d of %d files not fully examined by every agent", missed, max(run.Files, files))
	case len(gaps) > 0:
		return reports.WholeWords(run) + " not fully examined"
	case files > 0:
		return "every file examined"
	}
	return reports.WholeWords(run) + " examined"
}

func countFilesIn(coverage []review.Coverage) int {
	paths := make(map[string]bool)
	for _, c := range coverage {
		if c.Path != review.Whole {
			paths[c.Path] = true
		}
	}
	return len(paths)
}

// headline is the first line of the verdict's box.
func headline(run review.Run) string {
	words := reports.VerdictWords(run.Outcome.Verdict)
	if run.Status != review.StatusDone || words == "" {
		return reports.Title(run)
	}
	return "Verdict: " + strings.ToLower(words[:1]) + words[1:]
}

func healthWords(run review.Run) string {
	if run.Status != review.StatusDone {
		return ""
	}
	switch run.Outcome.Health {
	case review.Complete:
		return "Every required agent reported."
	case review.Degraded:
		return "The review is incomplete: a required agent gave no result."
	default:
		return "The review failed: there is no result to go by."
	}
}

// missing says what was not reviewed, a line each.
func missing(run review.Run) []string {
	var lines []string
	for _, a := range run.Agents {
		if a.Status == review.AgentUnavailable {
			why := cmp.Or(line(a.Reason), "no reason is known")
			if again := reports.Awaiting(run, a, run.Repo.Owner != ""); again != "" {
				why += "; " + line(again)
			}
			lines = append(lines, line(a.Name)+" gave no result: "+why)
		}
	}
	if run.Truncated != "" {
		lines = append(lines, "The change was not read whole: "+line(run.Truncated))
	}
	return lines
}

func runTitle(run review.Run) string {
	title := reports.Title(run)
	if run.Pull.Number > 0 {
		title += fmt.Sprintf(" · %s #%d", line(run.Repo.String()), run.Pull.Number)
	}
	return title
}

// row is a run in the index.
type row struct {
	id, title, where, pipeline, took string
	queued                           time.Time
	state                            state
}

func rowOf(run review.Run) row {
	r := row{id: run.ID, title: reports.Title(run), where: line(run.Repo.String()), pipeline: line(run.Pipeline), took: took(run), queued: run.QueuedAt, state: stateOf(run)}
	if run.Pull.Number > 0 {
		r.where += fmt.Sprintf(" #%d %s", run.Pull.Number, line(run.Pull.Title))
	}
	return r
}

func took(run review.Run) string {
	if run.StartedAt.IsZero() || run.FinishedAt.IsZero() {
		return ""
	}
	return reports.Duration(run.FinishedAt.Sub(run.StartedAt))
}

// line is a stranger's text as one visible line.
func line(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return strings.Join(strings.Fields(reports.Visible(s)), " ")
}

func shortSHA(sha string) string { return sha[:min(len(sha), 7)] }

// stamp is a time as people read it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

var hexID = regexp.MustCompile(`^[0-9a-f]{1,64}$`)

// anchor is a finding's place on the page.
func anchor(f review.Finding) string {
	if !hexID.MatchString(f.ID) {
		return "f-unknown"
	}
	return "f-" + f.ID
}
