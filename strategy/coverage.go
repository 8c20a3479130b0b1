package strategy

import (
	"fmt"

	"assay/review"
)

// uncovered says that too few files were examined for what the gate demands;
// "" when there were enough, or nobody can tell.
//
// A file counts as examined when at least one agent examined it fully and none
// left it out or looked at a part only. Agents that were unavailable say
// nothing here, for or against: an outage is not the author's doing, and
// on_unavailable decides about it.
func uncovered(demand RequireCoverage, w work, facts Facts) string {
	if demand.Percent <= 0 || w.done == 0 {
		return ""
	}
	if facts.Truncated != "" {
		return fmt.Sprintf("the gate demands that %d%% of the files are examined, and not all of them are known", demand.Percent)
	}
	examined := examinedFiles(w, facts)
	all, full := 0, 0
	for path, is := range examined {
		if len(demand.Paths) > 0 && !matchesAny(demand.Paths, path) {
			continue
		}
		all++
		if is {
			full++
		}
	}
	if all == 0 || full*100 >= demand.Percent*all {
		return ""
	}
	return fmt.Sprintf("%d of %s examined fully, and the gate demands %d%%", full, count(all, "file"), demand.Percent)
}

// examinedFiles says of each file that was to be reviewed whether it was
// examined.
func examinedFiles(w work, facts Facts) map[string]bool {
	files := make(map[string]bool)
	gaps := make(map[string]bool)
	for _, path := range facts.Paths {
		files[path] = false
	}
	for _, c := range facts.Coverage {
		if c.Path == review.Whole {
			continue
		}
		if _, counts := files[c.Path]; !counts && facts.Paths != nil {
			continue
		}
		full := w.believed[c.Agent] && c.Level == review.Full
		files[c.Path] = files[c.Path] || full
		if w.believed[c.Agent] && !full && c.Level != review.NotApplicable {
			gaps[c.Path] = true
		}
	}
	for path := range gaps {
		files[path] = false
	}
	return files
}
