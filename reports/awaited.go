package reports

import (
	"slices"
	"time"

	"assay/review"
)

// Awaiting says when an agent that gave no result is run again; "" when it is
// not. published says that the run belongs to a service that does so: a review
// on somebody's own machine is over when it ends.
func Awaiting(run review.Run, a review.AgentRun, published bool) string {
	if !a.Awaited() || (run.Status != review.StatusRunning && run.Status != review.StatusDone) {
		return ""
	}
	name, at := oneLine(a.Dependency, 100), ""
	if !a.RetryAt.IsZero() {
		at = clock(a.RetryAt, a.FinishedAt)
	}
	switch {
	case !published && at == "":
		return "it may be back later"
	case !published:
		return "it may be back at " + at
	case at == "":
		return "tried again as soon as " + name + " is back"
	default:
		return "tried again from " + at + " on, and as soon as " + name + " is back"
	}
}

// awaited are the names of what the agents wait for.
func awaited(agents []review.AgentRun) []string {
	var names []string
	for _, a := range agents {
		if a.Awaited() {
			names = append(names, oneLine(a.Dependency, 100))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// clock is a time of day, with the day where that is not now's.
func clock(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if now.IsZero() || at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04 UTC")
	}
	return at.Format("2 January 15:04 UTC")
}
