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
	expected := max(0, facts.Files-facts.Ignored)
	for _, run := range runs {
		switch n := len(receipts[run.Name]); {
		case run.Status != review.AgentDone:
			w.missing = append(w.missing, "the agent "+run.Name+" was unavailable"+inBrackets(run.Reason))
		case n == 0 && expected > 0:
			w.missing = append(w.missing, "the agent "+run.Name+" gave no receipt of its work")
		case n < expected:
			w.done++
			w.believed[run.Name] = true
			w.missing = append(w.missing, fmt.Sprintf("the agent %s left %s without a receipt", run.Name, count(expected-n, "file")))
		default:
			w.done++
			w.believed[run.Name] = true
		}
	}
	if len(runs) == 0 {
		w.missing = append(w.missing, "the pipeline has no agents")
	}
	if facts.Truncated != "" {
		w.missing = append(w.missing, "the change was not read whole"+inBrackets(facts.Truncated))
	}
	if gaps := gapsOf(facts.Coverage); len(gaps) > 0 {
		w.missing = append(w.missing, "not examined fully: "+some(gaps))
	}
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

// receiptsOf is the set of paths that each agent accounts for.
func receiptsOf(coverage []review.Coverage) map[string]map[string]bool {
	receipts := make(map[string]map[string]bool)
	for _, c := range coverage {
		if receipts[c.Agent] == nil {
			receipts[c.Agent] = make(map[string]bool)
		}
		receipts[c.Agent][c.Path] = true
	}
	return receipts
}

// gapsOf is the files that an agent should have examined and did not, or not
// fully, each once, in path order. An unknown level is no proof, so it is a gap
// too.
func gapsOf(coverage []review.Coverage) []string {
	reasons := make(map[string]string)
	for _, c := range coverage {
		if _, known := reasons[c.Path]; !known && c.Level != review.Full && c.Level != review.NotApplicable {
			reasons[c.Path] = strings.Join(strings.Fields(c.Path), " ") + inBrackets(joinNonEmpty(c.Agent, c.Reason))
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
