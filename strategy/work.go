package strategy

import (
	"fmt"
	"slices"
	"strings"

	"assay/review"
)

// work is how much of the review was really done.
type work struct {
	// done is the number of agents that did their work, or some of it.
	done int
	// missing says, each as a phrase, why the review is not whole.
	missing []string
	// believed are the agents that did their work.
	believed map[string]bool
	// looked says that an agent looked at the whole, files that one was
	// concerned with a file, and nothing that there was nothing to review.
	looked, files, nothing bool
	// uncovered says that too little was examined for the gate; empty when it
	// was enough.
	uncovered string
}

func (w work) whole() bool { return len(w.missing) == 0 }

func (w work) health() review.Health {
	switch {
	case w.done == 0:
		return review.Failed
	case !w.whole():
		return review.Degraded
	default:
		return review.Complete
	}
}

func workOf(facts Facts) work {
	w := work{believed: make(map[string]bool)}
	runs := runsOf(facts)
	receipts := receiptsOf(facts.Coverage)
	expected, anyWhole := facts.expected(), wholeAsked(receipts)
	for _, run := range runs {
		given := receipts[run.Name]
		switch n := len(given.files); {
		case run.Status != review.AgentDone:
			w.missing = append(w.missing, "the agent "+run.Name+" was unavailable"+inBrackets(run.Reason))
			continue
		case n == 0 && expected > 0 && !given.looked():
			w.missing = append(w.missing, "the agent "+run.Name+" gave no receipt of its work")
			continue
		case n < expected:
			w.missing = append(w.missing, fmt.Sprintf("the agent %s left %s without a receipt", run.Name, count(expected-n, "file")))
		case expected == 0 && anyWhole && !given.looked():
			continue // there is only the whole, and it did not look at that
		}
		w.done++
		w.believed[run.Name] = true
		w.looked = w.looked || given.looked()
	}
	if len(runs) == 0 {
		w.missing = append(w.missing, "the pipeline has no agents")
	}
	if facts.Truncated != "" {
		w.missing = append(w.missing, "the change was not read whole"+inBrackets(facts.Truncated))
	}
	if gaps := gapsOf(facts); len(gaps) > 0 {
		w.missing = append(w.missing, "not examined fully: "+some(gaps))
	}
	w.files = len(facts.Coverage) == 0 && expected > 0 || slices.ContainsFunc(facts.Coverage, func(c review.Coverage) bool {
		return c.Path != review.Whole && c.Level != review.NotApplicable
	})
	w.nothing = !w.looked && !w.files
	return w
}

// runsOf is a run for every required agent, then those of any other agent.
func runsOf(facts Facts) []review.AgentRun {
	var runs []review.AgentRun
	for _, name := range facts.Required {
		i := slices.IndexFunc(facts.Agents, func(a review.AgentRun) bool { return a.Name == name })
		if i < 0 {
			runs = append(runs, review.AgentRun{Name: name, Status: review.AgentUnavailable, Reason: "it never ran"})
			continue
		}
		runs = append(runs, facts.Agents[i])
	}
	for _, a := range facts.Agents {
		if !slices.Contains(facts.Required, a.Name) {
			runs = append(runs, a)
		}
	}
	return runs
}

// given is what one agent accounts for.
type given struct {
	files map[string]bool
	// whole is how much it examined of the whole; empty where it says nothing
	// of it.
	whole review.Level
}

func (g given) looked() bool { return g.whole == review.Full || g.whole == review.Partial }

// receiptsOf is what each agent accounts for.
func receiptsOf(coverage []review.Coverage) map[string]given {
	receipts := make(map[string]given)
	for _, c := range coverage {
		g, known := receipts[c.Agent]
		if !known {
			g.files = make(map[string]bool)
		}
		if c.Path == review.Whole {
			g.whole = c.Level
		} else {
			g.files[c.Path] = true
		}
		receipts[c.Agent] = g
	}
	return receipts
}

// wholeAsked reports whether any agent should have looked at the whole.
func wholeAsked(receipts map[string]given) bool {
	for _, g := range receipts {
		if g.whole != "" && g.whole != review.NotApplicable {
			return true
		}
	}
	return false
}

// gapsOf is the files, or the whole, that an agent should have examined and did not, or not
// fully, each once, in path order. An unknown level is no proof, so it is a gap
// too.
func gapsOf(facts Facts) []string {
	reasons := make(map[string]string)
	for _, c := range facts.Coverage {
		if _, known := reasons[c.Path]; !known && c.Level != review.Full && c.Level != review.NotApplicable {
			name := strings.Join(strings.Fields(c.Path), " ")
			if c.Path == review.Whole {
				name = facts.whole()
			}
			reasons[c.Path] = name + inBrackets(joinNonEmpty(c.Agent, c.Reason))
		}
	}
	gaps := make([]string, 0, len(reasons))
	for _, g := range reasons {
		gaps = append(gaps, g)
	}
	slices.Sort(gaps)
	return gaps
}

func joinNonEmpty(agent, reason string) string {
	if reason == "" {
		return agent
	}
	return agent + ": " + reason
}

// inBrackets adds a reason that others wrote: one line of it, not at length.
func inBrackets(reason string) string {
	const most = 200
	reason = strings.Join(strings.Fields(reason), " ")
	if reason == "" {
		return ""
	}
	if r := []rune(reason); len(r) > most {
		reason = string(r[:most]) + "…"
	}
	return " (" + reason + ")"
}

// some names the first few of many.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s", strings.Join(names[:most], ", "), count(len(names)-most, "more file"))
}
