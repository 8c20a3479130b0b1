package reviewer

import (
	"cmp"
	"fmt"
	"slices"

	"assay/review"
)

// cover makes the receipts of the files that were to be reviewed, from what was
// put before the model and what it says it went through.
func cover(files []review.File, units []unit, outcomes []outcome) []review.Coverage {
	type tally struct {
		parts, done, hidden int
		why                 string
	}
	of := make(map[string]*tally)
	for i, u := range units {
		for _, p := range u.parts {
			t := of[p.file.Path]
			if t == nil {
				t = &tally{}
				of[p.file.Path] = t
			}
			t.parts++
			t.hidden += outcomes[i].hidden[p.file.Path]
			if why := gap(outcomes[i], p.file.Path); why == "" {
				t.done++
			} else {
				t.why = cmp.Or(t.why, why)
			}
		}
	}
	var all []review.Coverage
	for _, f := range files {
		t := of[f.Path]
		c := review.Coverage{Path: f.Path, Level: review.Full}
		switch {
		case t.done == 0:
			c.Level, c.Reason = review.Skipped, t.why
		case t.done < t.parts:
			c.Level, c.Reason = review.Partial, "a part of the change was left out: "+t.why
		case t.hidden > 0:
			// Whoever can have a line kept from the model could have it pass unseen.
			c.Level, c.Reason = review.Partial, fmt.Sprintf("of %s the model was not shown all: words to a reviewer are kept from it, and what is over %d bytes of a line", counted(t.hidden), maxShownLine)
		case f.Unread != "":
			c.Level, c.Reason = review.Partial, f.Unread
		}
		all = append(all, c)
	}
	return all
}

func counted(lines int) string {
	if lines == 1 {
		return "1 added line"
	}
	return fmt.Sprintf("%d added lines", lines)
}

// gap says why a file was not examined in a unit; "" when it was.
func gap(o outcome, path string) string {
	switch {
	case o.refusal != "":
		return o.refusal
	case o.err != nil:
		return "no answer: " + o.err.Error()
	case !slices.Contains(o.examined, path):
		return "the model does not say that it went through it"
	}
	return ""
}
