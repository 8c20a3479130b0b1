package pullrequest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay/internal/codeowners"
	"assay/review"
)

// ownersSyntax finds lines that the change adds to CODEOWNERS and that GitHub
// skips.
func (a *Agent) ownersSyntax(ctx context.Context, change *review.Change) ([]review.Finding, error) {
	var found []review.Finding
	for _, f := range change.Files {
		if !codeowners.Is(f.Path) || f.Status == review.Removed {
			continue
		}
		text, ok, err := readSide(ctx, change, review.Head, f.Path)
		if err != nil || !ok {
			return found, err
		}
		for _, p := range codeowners.Parse(text).Problems {
			if !f.Adds(p.Line, p.Line) {
				continue
			}
			finding := a.finding(ruleOwnersSyntax, "GitHub skips this line, and asks nobody for the reviews it should bring: "+p.Message+".")
			finding.Path, finding.StartLine, finding.EndLine, finding.Evidence = f.Path, p.Line, p.Line, p.Text
			found = append(found, finding)
		}
	}
	return found, nil
}

const (
	maxNamed = 5 // files named in a message
	// Of sampled files of the base, mostOwned in a hundred must be owned for a
	// team to be taken to want an owner for every file.
	sampled   = 200
	mostOwned = 90
)

// unowned finds changed files that no line of the base's CODEOWNERS matches,
// where it matches nearly all others: a team that lets CODEOWNERS cover a few
// directories wants it so. A line without owners matches too: it says that
// nobody shall own the file.
func (a *Agent) unowned(ctx context.Context, change *review.Change) ([]review.Finding, error) {
	if change.Tree == nil || change.Truncated != "" || change.Pull.BaseSHA == "" {
		return nil, nil
	}
	file, ok, err := codeowners.Load(ctx, change.Contents, review.Base)
	if errors.Is(err, review.ErrTooLarge) || err == nil && !ok {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range change.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.Status != review.Removed && file.Ownership(f.Path) == codeowners.Unmatched {
			paths = append(paths, f.Path)
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	covers, err := coversMost(ctx, change, file)
	if err != nil || !covers {
		return nil, err
	}
	named := strings.Join(paths[:min(maxNamed, len(paths))], ", ")
	if over := len(paths) - maxNamed; over > 0 {
		named += fmt.Sprintf(" and %d more", over)
	}
	return []review.Finding{a.finding(ruleUnowned, fmt.Sprintf("CODEOWNERS names nobody for %s, and nearly every other file has an owner: add a line.", named))}, nil
}

func coversMost(ctx context.Context, change *review.Change, file codeowners.File) (bool, error) {
	entries, err := change.Tree.List(ctx, review.Base)
	if errors.Is(err, review.ErrTooLarge) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list the files of the base: %w", err)
	}
	step := max(1, len(entries)/sampled)
	n, matched := 0, 0
	for i := 0; i < len(entries); i += step {
		n++
		if file.Ownership(entries[i].Path) != codeowners.Unmatched {
			matched++
		}
	}
	return n > 0 && matched*100 >= n*mostOwned, nil
}
