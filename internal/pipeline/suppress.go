package pipeline

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"assay/review"
	"assay/strategy"
)

// suppress takes out of what the agents have found what the config holds back,
// and adds what it says of itself. The findings keep their IDs.
func suppress(plan strategy.Plan, found []review.Finding, day time.Time) (open, held []review.Finding) {
	open, suppressed := strategy.Suppress(found, plan.Suppress, day)
	for _, s := range suppressed {
		f := s.Finding
		f.Suppressed = &review.Suppressed{By: s.By.Owner, Reason: s.By.Reason, Until: s.By.Until}
		held = append(held, f)
	}
	// Only the new ones: to number all anew would give the ID of a finding that is
	// held back to its like.
	if added := open[len(found)-len(held):]; len(added) > 0 {
		review.Fingerprint(added)
		slices.SortStableFunc(open, func(a, b review.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	}
	return open, held
}

// asFound are a run's findings as its agents gave them.
func asFound(r review.Run) []review.Finding {
	var found []review.Finding
	for _, f := range slices.Concat(r.Findings, r.Suppressed) {
		if f.Agent == strategy.ConfigAgent {
			continue
		}
		f.Suppressed = nil
		found = append(found, f)
	}
	return found
}

// policiesOf are the plan's policies, none with more to spend than the whole
// plan has.
func policiesOf(plan strategy.Plan) map[string]review.Policy {
	if plan.Budget == (review.Budget{}) {
		return plan.Policies
	}
	policies := maps.Clone(plan.Policies)
	if policies == nil {
		policies = make(map[string]review.Policy)
	}
	for _, name := range plan.Agents() {
		policy := policies[name]
		b, most := &policy.Budget, plan.Budget
		b.Tokens, b.Steps = least(b.Tokens, most.Tokens), least(b.Steps, most.Steps)
		b.Time, b.USD = least(b.Time, most.Time), least(b.USD, most.USD)
		policies[name] = policy
	}
	return policies
}

// least is the smaller of two bounds, of which 0 is none.
func least[T int | time.Duration | float64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
