package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/review"
)

// The sections that Markdown reports are made of. Their ranks: what happened
// is never cut, then come the findings, then how the run went.
const (
	rankLead = iota
	rankHealth
	rankFindings
	rankProblems
	rankAgents
	rankGaps
)

// lead says how the run stands, in one or two sentences.
func (d document) lead() section {
	words := prose(Title(d.run))
	if d.run.Status == review.StatusDone {
		words = prose(sentence(Title(d.run)))
		if v := verdictOf(d.run); v != "" {
			words = "**" + v + ".** " + words
		}
		if r := d.run.Outcome.Reason; r != "" && !clean(d.run) {
			words += " " + prose(Sentence(oneLine(r, maxSentence)))
		}
	}
	return section{name: "verdict", rank: rankLead, head: words + "\n"}
}

// verdictOf is the verdict in words where findings stand behind it; a title
// says all of a run without any.
func verdictOf(run review.Run) string {
	if run.Status != review.StatusDone || len(run.Findings) == 0 {
		return ""
	}
	return VerdictWords(run.Outcome.Verdict)
}

// clean reports whether a run reviewed everything and found nothing.
func clean(run review.Run) bool {
	return run.Status == review.StatusDone && run.Outcome.Health == review.Complete && run.Truncated == "" && len(run.Findings) == 0
}

// health says what the run is missing; empty when it is whole.
func (d document) health() section {
	var lines []string
	for _, a := range unavailable(d.run.Agents) {
		lines = append(lines, "- "+code(a.Name)+" gave no result: "+prose(sentence(d.why(a)))+"\n")
	}
	if d.run.Truncated != "" {
		lines = append(lines, "- The change was not read whole: "+prose(sentence(oneLine(d.run.Truncated, 300)))+"\n")
	}
	return d.list("what was not reviewed", rankHealth, "**Not reviewed**\n\n", lines, listed)
}

// why says why an agent gave no result, and when it is run again.
func (d document) why(a review.AgentRun) string {
	return whyMissing(d.run, a, d.o)
}

func whyMissing(run review.Run, a review.AgentRun, o Options) string {
	why := cmp.Or(oneLine(a.Reason, 300), "no reason is known")
	if again := Awaiting(run, a, o.RunURL != ""); again != "" {
		why += "; " + again
	}
	return why
}

// findingList lists the findings, one line each, most severe first.
func (d document) findingList() section {
	s := d.list("findings", rankFindings, "", nil, listed)
	s.n = len(d.findings)
	s.item = func(i int) string {
		f := d.findings[i]
		return fmt.Sprintf("- **%s** %s %s %s\n", f.Severity, d.place(f), prose(oneLine(f.Message, 300)), code(f.Rule))
	}
	return s
}

// place is where a finding is, linked to GitHub.
func (d document) place(f review.Finding) string {
	if f.Path == "" {
		return "pull request:"
	}
	return linked(code(Location(f)), d.links.Lines(f.Path, f.StartLine, f.EndLine))
}

// problems lists mistakes in the config.
func (d document) problems() section {
	lines := make([]string, 0, len(d.run.Problems))
	for _, p := range d.run.Problems {
		place := code(oneLine(fmt.Sprintf("%s:%d", p.Path, p.Line), 300))
		if p.Layer == "" {
			place = linked(place, d.links.Lines(p.Path, p.Line, p.Line))
		} else {
			place += " (the " + prose(p.Layer) + "'s)"
		}
		lines = append(lines, "- "+place+" "+prose(oneLine(p.Message, 300))+"\n")
	}
	return d.list("mistakes in the config", rankProblems, "**Mistakes in the config** (a file with mistakes is left out whole)\n\n", lines, listed)
}

// configChange says what the change will make of the config.
func (d document) configChange() section {
	if d.run.ConfigChange == "" {
		return section{}
	}
	return section{name: "the change of the config", rank: rankProblems, head: "**This changes the config.** " + prose(oneLine(d.run.ConfigChange, 1000)) + "\n"}
}

// suppressed says how many findings the config holds back, and by whose word.
func (d document) suppressed() section {
	if len(d.run.Suppressed) == 0 {
		return section{}
	}
	var by []string
	for _, f := range d.run.Suppressed {
		if f.Suppressed != nil && !slices.Contains(by, f.Suppressed.By) {
			by = append(by, f.Suppressed.By)
		}
	}
	slices.Sort(by)
	words := Suppressed(d.run)
	if len(by) > 0 && len(by) <= 3 {
		words += ": by " + strings.Join(by, ", ")
	}
	return section{name: "what is suppressed", rank: rankHealth, head: prose(oneLine(sentence(words), maxSentence)) + "\n"}
}

// agents is the table of agents with their coverage.
func (d document) agents() section {
	covered := cover(d.run.Coverage)
	rows := make([]string, 0, len(d.run.Agents))
	for _, a := range d.run.Agents {
		found, examined, missed, took := "–", "–", "–", "–"
		if a.Status == review.AgentDone {
			found, examined, missed = strconv.Itoa(a.Findings), examinedWords(a, covered[a.Name]), strconv.Itoa(covered[a.Name][review.Skipped])
		}
		if a.Duration() > 0 {
			took = Duration(a.Duration())
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n",
			code(oneLine(a.Name, 80)), agentWords(a), found, examined, missed, took))
	}
	return d.list("agents", rankAgents,
		"| Agent | Status | Findings | Files examined | Not examined | Time |\n| --- | --- | ---: | ---: | ---: | ---: |\n",
		rows, listed)
}

// examinedWords is the number of files that an agent examined, and how many of
// them only partly.
func examinedWords(a review.AgentRun, levels map[review.Level]int) string {
	words := strconv.Itoa(max(a.Examined, levels[review.Full]+levels[review.Partial]))
	if partly := levels[review.Partial]; partly > 0 {
		words += fmt.Sprintf(" (%d partly)", partly)
	}
	return words
}

// cover counts coverage by agent and level.
func cover(coverage []review.Coverage) map[string]map[review.Level]int {
	counts := make(map[string]map[review.Level]int)
	for _, c := range coverage {
		if c.Path == review.Whole {
			continue
		}
		if counts[c.Agent] == nil {
			counts[c.Agent] = make(map[review.Level]int)
		}
		counts[c.Agent][c.Level]++
	}
	return counts
}

// agentWords is an agent's status as people say it.
func agentWords(a review.AgentRun) string {
	switch a.Status {
	case review.AgentDone:
		if a.Cached {
			return "done (known from before)"
		}
		return "done"
	case review.AgentRunning:
		return "running"
	case review.AgentUnavailable:
		return "**unavailable**"
	default:
		return "waiting"
	}
}

// Gaps are the files, or the whole (review.Whole), that an agent should have
// examined fully and did not, by path and agent.
func Gaps(coverage []review.Coverage) []review.Coverage {
	var gaps []review.Coverage
	for _, c := range coverage {
		if c.Level == review.Partial || c.Level == review.Skipped {
			gaps = append(gaps, c)
		}
	}
	slices.SortStableFunc(gaps, func(a, b review.Coverage) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Agent, b.Agent))
	})
	return gaps
}

const gapsTitle = "not fully examined"

// gaps lists what was not fully examined.
func (d document) gaps() section {
	gaps := Gaps(d.run.Coverage)
	s := d.list(gapsTitle, rankGaps, "**"+capital(gapsTitle)+"**\n\n", nil, listedGaps)
	s.n = len(gaps)
	s.item = func(i int) string {
		g := gaps[i]
		level := "not examined"
		if g.Level == review.Partial {
			level = "partly examined"
		}
		what := code(g.Path)
		if g.Path == review.Whole {
			what = capital(WholeWords(d.run))
		}
		return "- " + what + " " + level + " by " + code(oneLine(g.Agent, 80)) + ": " + prose(sentence(cmp.Or(oneLine(g.Reason, 300), "no reason given"))) + "\n"
	}
	return s
}

// footer says when and where, and leads to the full report.
func (d document) footer() section {
	var parts []string
	if sha := d.run.Pull.HeadSHA; sha != "" {
		parts = append(parts, "Commit "+linked(code(short(sha)), d.links.Commit())+".")
	}
	if words := timing(d.run); words != "" {
		parts = append(parts, words+".")
	}
	if d.run.Attempt > 1 {
		parts = append(parts, fmt.Sprintf("Attempt %d.", d.run.Attempt))
	}
	if note := oneLine(d.run.Note, 200); note != "" {
		parts = append(parts, prose(Sentence(note)))
	}
	if d.o.RunURL != "" {
		parts = append(parts, linked("Full report", d.o.RunURL))
	}
	if len(parts) == 0 {
		return section{}
	}
	return section{name: "timing", rank: rankLead, head: strings.Join(parts, " ") + "\n"}
}

// timing says how long a run waited and took, from its own times.
func timing(run review.Run) string {
	if run.StartedAt.IsZero() || run.FinishedAt.IsZero() {
		return ""
	}
	took := "Took " + Duration(run.FinishedAt.Sub(run.StartedAt))
	if run.QueuedAt.IsZero() || !run.QueuedAt.Before(run.StartedAt) {
		return took
	}
	return took + " after waiting " + Duration(run.StartedAt.Sub(run.QueuedAt))
}

// list is a section of ready lines, at most show of them.
func (d document) list(name string, rank int, head string, lines []string, show int) section {
	return section{
		name: name, rank: rank, head: head, n: len(lines), show: show,
		item: func(i int) string { return lines[i] },
		more: func(left int) string { return "\n" + d.elsewhere(fmt.Sprintf("%d more", left)) + "\n" },
	}
}

// elsewhere says of what that it is found in the full report.
func (d document) elsewhere(what string) string {
	if d.o.RunURL == "" {
		return what + " not shown."
	}
	return what + " in the " + linked("full report", d.o.RunURL) + "."
}

// note names the sections that were left out.
func (d document) note(names []string) string {
	return d.elsewhere("Left out for lack of room: "+strings.Join(names, ", ")+";") + "\n"
}

// Sentence is s with a capital letter, where that is ASCII, and a full stop.
func Sentence(s string) string { return sentence(capital(s)) }

// sentence ends s with a full stop where it has no end of its own.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, "…") || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// capital is s with its first letter in upper case, where that is ASCII.
func capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
