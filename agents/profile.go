package agents

import (
	"fmt"
	"strings"

	"assay/review"
)

// Describer is an agent that describes its rules. All but those whose rules are
// the team's own, or a model's, should be one: profiles, documentation and
// SARIF rest on it.
type Describer interface {
	// Rules describes every rule that the agent's findings can have.
	Rules() []Rule
}

// RulesOf is the rules that the agent describes; nil where it describes none.
// It looks through wrappers that have Unwrap() Agent.
func RulesOf(a Agent) []Rule {
	for a != nil {
		if d, ok := a.(Describer); ok {
			return d.Rules()
		}
		w, ok := a.(interface{ Unwrap() Agent })
		if !ok {
			return nil
		}
		a = w.Unwrap()
	}
	return nil
}

// Omitted counts the findings that a policy left out.
type Omitted struct {
	// Profile is by rules that speak in a higher profile only, Silenced by rules
	// that the config turns off.
	Profile, Silenced int
}

// String says what was left out, for people; empty for nothing.
func (o Omitted) String() string {
	var parts []string
	if o.Profile > 0 {
		parts = append(parts, fmt.Sprintf("%s by rules of a higher profile", findingsOf(o.Profile)))
	}
	if o.Silenced > 0 {
		parts = append(parts, fmt.Sprintf("%s by rules that the config turns off", findingsOf(o.Silenced)))
	}
	if len(parts) == 0 {
		return ""
	}
	return "left out: " + strings.Join(parts, ", ")
}

func findingsOf(n int) string {
	if n == 1 {
		return "1 finding"
	}
	return fmt.Sprintf("%d findings", n)
}

// ApplyPolicy keeps the findings that the policy wants to hear of, with the
// severities that it gives them. The findings given are not changed.
//
// A rule speaks from its profile on. One to which the policy gives a severity,
// by its ID or by its name without the agent, speaks in every profile and with
// that severity wherever it stands: to name a rule is to want it. A rule that
// is given SeverityNone is silent. Findings of rules that are not described
// pass.
func ApplyPolicy(rules []Rule, policy review.Policy, findings []review.Finding) ([]review.Finding, Omitted) {
	least := make(map[string]review.Profile, len(rules))
	for _, r := range rules {
		least[r.ID] = r.Profile
	}
	var omitted Omitted
	kept := make([]review.Finding, 0, len(findings))
	for _, f := range findings {
		severity, named := policy.Severity(f.Rule)
		switch {
		case named && severity == review.SeverityNone:
			omitted.Silenced++
			continue
		case named:
			f.Severity = severity
		case !policy.Profile.Includes(least[f.Rule]):
			omitted.Profile++
			continue
		}
		kept = append(kept, f)
	}
	return kept, omitted
}

// under is what the policy leaves of checked findings. That rules were turned
// off is noted; the profile is not, which leaves out something of most changes.
func (c checked) under(rules []Rule, policy review.Policy) checked {
	var omitted Omitted
	c.findings, omitted = ApplyPolicy(rules, policy, c.findings)
	omitted.Profile = 0
	c.note = joined(c.note, omitted.String())
	return c
}
