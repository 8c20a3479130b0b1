package pipeline

import (
	"cmp"
	"slices"
	"strings"

	"assay/review"
)

// Join makes one run of the runs of several pipelines over one change, for
// where there is one report. The outcome is the worst of theirs; a finding or a
// receipt that two pipelines share is there once. There must be a run.
func Join(runs []review.Run) review.Run {
	joined := runs[0]
	if len(runs) == 1 {
		return joined
	}
	var names []string
	seen := make(map[string]bool)
	joined.Findings, joined.Suppressed, joined.Agents, joined.Coverage, joined.Problems = nil, nil, nil, nil, nil
	for _, r := range runs {
		names = append(names, r.Pipeline)
		if worse(r.Outcome, joined.Outcome) {
			joined.Outcome = r.Outcome
		}
		for _, f := range r.Findings {
			if !seen["finding "+f.ID] {
				seen["finding "+f.ID] = true
				joined.Findings = append(joined.Findings, f)
			}
		}
		for _, f := range r.Suppressed {
			if !seen["suppressed "+f.ID] {
				seen["suppressed "+f.ID] = true
				joined.Suppressed = append(joined.Suppressed, f)
			}
		}
		joined.ConfigChange = cmp.Or(joined.ConfigChange, r.ConfigChange)
		for _, a := range r.Agents {
			if !seen["agent "+a.Name] {
				seen["agent "+a.Name] = true
				joined.Agents = append(joined.Agents, a)
			}
		}
		for _, c := range r.Coverage {
			if key := "coverage " + c.Agent + "\x00" + c.Path; !seen[key] {
				seen[key] = true
				joined.Coverage = append(joined.Coverage, c)
			}
		}
		for _, p := range r.Problems {
			if !slices.Contains(joined.Problems, p) {
				joined.Problems = append(joined.Problems, p)
			}
		}
	}
	slices.SortStableFunc(joined.Findings, func(a, b review.Finding) int { return int(b.Severity) - int(a.Severity) })
	joined.Pipeline = strings.Join(names, ", ")
	return joined
}

// conclusions are ordered from the best to the worst.
var conclusions = []review.Conclusion{
	review.ConclusionSkipped, review.ConclusionSuccess, review.ConclusionNeutral, review.ConclusionActionRequired, review.ConclusionFailure,
}

func worse(a, b review.Outcome) bool {
	return slices.Index(conclusions, a.Conclusion) > slices.Index(conclusions, b.Conclusion)
}
