package pullrequest

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"assay/agents"
	"assay/review"
)

// words looks at the title and the description. A local diff has neither, and
// bots write theirs by a template that nobody here can change.
func (a *Agent) words(p review.Pull, m measure) []review.Finding {
	if p.Number == 0 || p.Author.Bot {
		return nil
	}
	var found []review.Finding
	if f, ok := a.title(p); ok {
		found = append(found, f)
	}
	if m.lines >= a.cfg.NeedsDescription && !hasText(p.Body) {
		found = append(found, a.finding(ruleNoText, fmt.Sprintf("The description is empty, and %d lines are added: say what changes, why, and how it was tested.", m.lines)))
	}
	return found
}

// title makes at most one finding: the first that applies is the one to mend.
func (a *Agent) title(p review.Pull) (review.Finding, bool) {
	title := strings.TrimSpace(p.Title)
	length := utf8.RuneCountInString(title)
	var f review.Finding
	switch {
	case title == "":
		f = a.finding(ruleTitleEmpty, "The title is empty: say in a few words what the change does.")
	case !p.Draft && agents.UnfinishedTitle(title):
		f = a.finding(ruleTitleWIP, "The title says that the work is not done: convert the pull request to a draft, or change the title.")
	case vague.MatchString(title):
		f = a.finding(ruleTitleVague, "The title does not say what changes: name what is fixed, added or updated.")
	case length > a.cfg.MaxTitle:
		f = a.finding(ruleTitleLong, fmt.Sprintf("The title has %d characters, and git and GitHub cut long ones: move details to the description.", length))
	default:
		return f, false
	}
	return f, true
}

var (
	// vague is a title that is all verb and no object, as a whole; one with
	// anything else in it is left alone.
	vague = regexp.MustCompile(`(?i)^(?:(?:fix|feat|chore|refactor|docs|test|style|perf)(?:\([^)]*\))?!?:\s*)?(?:(?:minor|small|some|more|various|misc|quick|a few|bug|code)\s+)*(?:fix(?:es|ed)?|bug ?fix(?:es)?|updates?|changes?|improvements?|tweaks?|stuff|things|misc|test(?:s|ing)?|temp|tmp|asdf+|patch(?:-\d+)?|commit|refactor(?:ing)?|clean ?up|wip|foo|\.+)[.!]*$`)
)

// hasText reports whether a description holds anything but a template: headings,
// comments, empty check boxes.
func hasText(body string) bool {
	body = comment.ReplaceAllString(body, "")
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, "- [ ]"), strings.HasPrefix(line, "* [ ]"), strings.Trim(line, "-=*_ ") == "":
		default:
			return true
		}
	}
	return false
}

var comment = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)`)
