package pullrequest

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"assay/review"
)

// leftover is the subject of a commit that git rebase --autosquash would fold
// into another (https://git-scm.com/docs/git-commit).
var leftover = regexp.MustCompile(`^(?:fixup|squash|amend)! `)

// commits finds commits that were meant to be folded into others. A draft may
// have them.
func (a *Agent) commits(ctx context.Context, change *review.Change) ([]review.Finding, error) {
	if change.Host == nil || change.Pull.Number == 0 || change.Pull.Draft || change.Pull.Author.Bot {
		return nil, nil
	}
	commits, err := change.Host.Commits(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the commits: %w", err)
	}
	var subjects []string
	for _, c := range commits {
		if subject, _, _ := strings.Cut(c.Message, "\n"); leftover.MatchString(subject) {
			subjects = append(subjects, subject)
		}
	}
	if len(subjects) == 0 {
		return nil, nil
	}
	noun := "1 commit"
	if len(subjects) > 1 {
		noun = fmt.Sprintf("%d commits", len(subjects))
	}
	f := a.finding(ruleLeftover, fmt.Sprintf("%s, the first %q, to be folded into others: run git rebase --autosquash, unless the pull request is merged as one commit.", noun, short(subjects[0])))
	return []review.Finding{f}, nil
}
