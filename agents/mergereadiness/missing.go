package mergereadiness

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"assay/agents"
	"assay/review"
)

// GitHub's words in review.Readiness
// (https://docs.github.com/graphql/reference/enums).
const (
	mergeable        = "MERGEABLE"
	conflicting      = "CONFLICTING"
	unknown          = "UNKNOWN"
	approved         = "APPROVED"
	changesRequested = "CHANGES_REQUESTED"
	reviewRequired   = "REVIEW_REQUIRED"
)

// maxEach is how many findings are made of one rule; a further one counts the
// rest.
const maxEach = 30

// words is what the pull request says of itself.
func (a *Agent) words(p review.Pull, o options) []review.Finding {
	var found []review.Finding
	if p.Draft {
		found = append(found, a.finding(ruleDraft, "", "The pull request is a draft: mark it as ready for review when it is."))
	}
	switch {
	case agents.UnfinishedTitle(p.Title):
		found = append(found, a.finding(ruleUnfinished, "title", "The title says that the work is not to be merged yet."))
	case unfinishedBody(p.Body):
		found = append(found, a.finding(ruleUnfinished, "description", "The description says that the work is not to be merged yet."))
	}
	for _, label := range p.Labels {
		if o.blocks(label) {
			found = append(found, a.finding(ruleLabel, label, fmt.Sprintf("The label %s keeps it from being merged.", quote(label))))
		}
	}
	return capped(a, found, ruleLabel, "labels")
}

// unfinishedBody reports whether a line of the description, outside comments
// and quoted code, says nothing but that it is not to be merged.
func unfinishedBody(body string) bool {
	fenced := false
	for line := range strings.Lines(comment.ReplaceAllString(body, "")) {
		if t := strings.TrimSpace(line); strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~") {
			fenced = !fenced
		}
		if !fenced && holdLine.MatchString(line) {
			return true
		}
	}
	return false
}

var (
	comment  = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)`)
	holdLine = regexp.MustCompile(`(?i)^[\s#*_>!⚠️🚧[(-]*(?:wip|work in progress|do not merge(?: yet)?|don't merge(?: yet)?|dnm)[\s*_!.:⚠️🚧\])-]*$`)
)

// checks looks at the checks that must pass. Where none is required, nothing
// says which of them matter, so all do. Our own are left out: the one that this
// run is for would wait for itself.
func (a *Agent) checks(checks []review.CheckState) []review.Finding {
	required := slices.ContainsFunc(checks, func(c review.CheckState) bool { return c.Required })
	checks = slices.Clone(checks)
	slices.SortStableFunc(checks, func(x, y review.CheckState) int { return cmp.Compare(x.Name, y.Name) })
	var failed, pending []review.Finding
	for _, c := range checks {
		if c.Ours || required && !c.Required {
			continue
		}
		kind := "The check "
		if c.Required {
			kind = "The required check "
		}
		switch c.State {
		case "success", "neutral", "skipped":
		case "pending":
			pending = append(pending, a.finding(ruleCheckPending, c.Name, kind+quote(c.Name)+" has not finished."))
		case "cancelled":
			failed = append(failed, a.finding(ruleCheckFailed, c.Name, kind+quote(c.Name)+" was cancelled: run it again."))
		default: // a state that is not known has not passed
			failed = append(failed, a.finding(ruleCheckFailed, c.Name, kind+quote(c.Name)+" has failed."))
		}
	}
	return append(capped(a, failed, ruleCheckFailed, "checks"), capped(a, pending, ruleCheckPending, "checks")...)
}

// reviews believes GitHub's decision where there is one: it knows whose reviews
// count. Where no review is required anybody may have requested changes, so a
// refusal is something to settle but no failure.
func (a *Agent) reviews(ready review.Readiness, o options) []review.Finding {
	refused := len(ready.ChangesRequested) > 0
	var found []review.Finding
	switch {
	case ready.ReviewDecision == changesRequested, ready.ReviewDecision != approved && refused:
		message := "Changes were requested"
		if refused {
			message += " by " + names(ready.ChangesRequested)
		}
		f := a.finding(ruleReviewRefused, "", message+": answer the review and ask for another one.")
		if ready.ReviewDecision == "" {
			f.Severity = review.Medium
		}
		found = append(found, f)
	case ready.ReviewDecision == reviewRequired:
		found = append(found, a.finding(ruleReviewMissing, "", "A required review is missing: ask for one."))
		return found
	}
	if got := len(ready.Approvals); got < o.approvals {
		found = append(found, a.finding(ruleReviewMissing, "", fmt.Sprintf("%s wanted and %d given: ask for a review.", counted(o.approvals, "approval is", "approvals are"), got)))
	}
	return found
}

// base looks at the age of what the change is built on. A base that has not
// moved since is not old, however long ago that was.
func (a *Agent) base(p review.Pull, ready review.Readiness, o options) []review.Finding {
	age := time.Duration(0)
	if !ready.BaseDate.IsZero() {
		age = a.now().Sub(ready.BaseDate)
	}
	const day = 24 * time.Hour
	switch {
	case ready.Behind == 0:
		return nil
	case o.maxBehind > 0 && ready.Behind > o.maxBehind:
		return []review.Finding{a.finding(ruleBaseOld, "", fmt.Sprintf("%s has %d commits that the change does not have: merge or rebase.", quote(p.BaseRef), ready.Behind))}
	case o.maxAge > 0 && age > o.maxAge:
		return []review.Finding{a.finding(ruleBaseOld, "", fmt.Sprintf("The change is built on a %d days old state of %s: merge or rebase.", age/day, quote(p.BaseRef)))}
	}
	return nil
}

// capped keeps maxEach findings and counts the rest of them in one more.
func capped(a *Agent, found []review.Finding, rule, noun string) []review.Finding {
	if over := len(found) - maxEach; over > 0 {
		return append(found[:maxEach:maxEach], a.finding(rule, "more", fmt.Sprintf("The same is true of %d more %s.", over, noun)))
	}
	return found
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// quote shows a name that a stranger chose.
func quote(name string) string {
	const most = 100
	if r := []rune(name); len(r) > most {
		name = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", name)
}

// names lists the first few logins.
func names(logins []string) string {
	const most = 5
	if over := len(logins) - most; over > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(logins[:most], ", "), over)
	}
	return strings.Join(logins, ", ")
}
