package secrets

import (
	"context"
	"fmt"
	"strings"

	"assay/internal/fault"
	"assay/review"
)

// maxWords is how much of the pull request's own words is scanned, in bytes.
const maxWords = 1 << 20

// said is a text of the pull request that stands in no file.
type said struct{ where, text string }

// words finds secrets in the title and the body of the pull request and in the
// messages of its commits. Where GitHub does not tell the commits, and waiting
// does not help, they are left out.
func (a *Agent) words(ctx context.Context, change *review.Change, t team, limits limits) ([]review.Finding, error) {
	texts := []said{{"the title of the pull request", change.Pull.Title}, {"the description of the pull request", change.Pull.Body}}
	var err error
	if change.Host != nil {
		var commits []review.Commit
		if commits, err = change.Host.Commits(ctx); err != nil && !waits(err) {
			err = nil
		}
		for _, c := range commits {
			texts = append(texts, said{fmt.Sprintf("the message of commit %.10s", c.SHA), c.Message})
		}
	}
	var found []review.Finding
	size := 0
	for _, s := range texts {
		if s.text == "" {
			continue
		}
		if size += len(s.text); size > maxWords {
			break
		}
		f := review.File{Hunks: []review.Hunk{{Lines: asLines(s.text)}}}
		inText, _ := a.added(ctx, f, t, limits)
		for i := range inText {
			inText[i].StartLine, inText[i].EndLine = 0, 0
			inText[i].Message = strings.Replace(inText[i].Message, fix, "", 1) + " It stands in " + s.where + ", where everybody who can read the repository sees it. Revoke it and issue a new one."
			inText[i].Message = strings.Join(strings.Fields(inText[i].Message), " ")
		}
		found = append(found, inText...)
	}
	if err != nil {
		return found, fmt.Errorf("read the messages of commits: %w", err)
	}
	return found, nil
}

// waits reports whether waiting helps.
func waits(err error) bool {
	switch fault.KindOf(err) {
	case fault.RateLimited, fault.Transient, fault.Busy:
		return true
	}
	return false
}

func asLines(text string) []review.Line {
	var lines []review.Line
	for i, l := range strings.Split(text, "\n") {
		lines = append(lines, review.Line{Op: review.Add, New: i + 1, Text: l})
	}
	return lines
}
