package agents

import "assay/review"

// receipts makes an agent's receipt whole: one entry for every changed file,
// in the order of the change, before them that for review.Whole where the agent
// gave one, and none for any other. Where an agent gave two
// for a file, the lesser counts. unavailable says why the agent was not
// available, and explains the files it did not get to. It also returns how
// many files were examined.
func receipts(agent string, change *review.Change, given []review.Coverage, unavailable string) (all []review.Coverage, examined int) {
	byPath := make(map[string]review.Coverage, len(given))
	for _, c := range given {
		c = honest(c)
		if had, ok := byPath[c.Path]; !ok || rank(c.Level) < rank(had.Level) {
			byPath[c.Path] = c
		}
	}
	missing := "the agent gave no receipt"
	if unavailable != "" {
		missing = "the agent was unavailable: " + unavailable
	}
	all = make([]review.Coverage, 0, len(change.Files)+1)
	if c, ok := byPath[review.Whole]; ok {
		c.Agent, c.Path = agent, review.Whole
		all = append(all, c)
	}
	for _, f := range change.Files {
		c, ok := byPath[f.Path]
		if !ok {
			c = review.Coverage{Level: review.Skipped, Reason: missing}
		}
		c.Agent, c.Path = agent, f.Path
		if c.Level == review.Full || c.Level == review.Partial {
			examined++
		}
		all = append(all, c)
	}
	return all, examined
}

// honest cleans a receipt: a level that does not exist is none at all, and
// whatever is not full has a reason.
func honest(c review.Coverage) review.Coverage {
	c.Reason = clean(c.Reason, maxReason)
	switch c.Level {
	case review.Full:
		c.Reason = ""
	case review.Partial, review.Skipped:
		if c.Reason == "" {
			c.Reason = "the agent gave no reason"
		}
	case review.NotApplicable:
	default:
		c.Level, c.Reason = review.Skipped, "the agent's receipt was malformed"
	}
	return c
}

// rank orders levels from the least examined.
func rank(l review.Level) int {
	switch l {
	case review.Skipped:
		return 0
	case review.Partial:
		return 1
	case review.NotApplicable:
		return 2
	default:
		return 3
	}
}
