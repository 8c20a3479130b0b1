package agents

import "assay/review"

// InProfile returns those of the findings whose rules speak in the profile. A
// finding whose rule is not among rules is kept.
func InProfile(rules []Rule, profile review.Profile, findings []review.Finding) []review.Finding {
	least := make(map[string]review.Profile, len(rules))
	for _, r := range rules {
		least[r.ID] = r.Profile
	}
	var kept []review.Finding
	for _, f := range findings {
		if profile.Includes(least[f.Rule]) {
			kept = append(kept, f)
		}
	}
	return kept
}
