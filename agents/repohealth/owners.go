package repohealth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay/internal/codeowners"
	"assay/review"
)

// maxMatches bounds how often a pattern is tried on a path in one run; it is
// about a second of work.
const maxMatches = 1_000_000

// owners reads CODEOWNERS. Whether the owners exist cannot be asked.
func (e *exam) owners(ctx context.Context) error {
	for _, at := range codeowners.Locations() {
		if f, ok := e.tree.byPath[at]; ok && f.Size > codeowners.MaxSize {
			e.say(ruleOwnersLarge, at, "", "GitHub does not load a CODEOWNERS file over 3 MB, so nobody owns anything: fold lines into patterns.")
			return nil
		} else if ok {
			break
		}
	}
	file, ok, err := codeowners.Load(ctx, e.change.Contents, review.Head)
	switch {
	case errors.Is(err, review.ErrTooLarge):
		e.gaps = append(e.gaps, "CODEOWNERS is too large to be read")
		return nil
	case err != nil || !ok:
		return err
	}
	for _, p := range file.Problems {
		e.sayAt(ruleOwnersSyntax, file.Path, p.Line, p.Text, "GitHub skips this line: "+p.Message+".")
	}
	if e.speaks(ruleOwnersUnmatched) {
		return e.unmatched(ctx, file)
	}
	return nil
}

// unmatched finds patterns that match no file.
func (e *exam) unmatched(ctx context.Context, file codeowners.File) error {
	left := maxMatches
	for i, rule := range file.Rules {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.matches(rule, &left) && left > 0 {
			e.sayAt(ruleOwnersUnmatched, file.Path, rule.Line, rule.Pattern, fmt.Sprintf("The pattern %q matches no file: change or remove it.", rule.Pattern))
		}
		if left <= 0 {
			e.gaps = append(e.gaps, fmt.Sprintf("%d patterns of CODEOWNERS were not tried", len(file.Rules)-i))
			return nil
		}
	}
	return nil
}

// matches reports whether the pattern matches a file. Most patterns name one
// path from the root, which needs no search; others use up what is left.
func (e *exam) matches(rule codeowners.Rule, left *int) bool {
	if path, ok := strings.CutPrefix(rule.Pattern, "/"); ok && !strings.ContainsAny(path, "*?") {
		dir := strings.TrimSuffix(path, "/")
		return e.tree.dirs[dir] || dir == path && e.tree.has(path)
	}
	for _, f := range e.tree.entries {
		if *left--; *left <= 0 {
			return false
		}
		if rule.Match(f.Path) {
			return true
		}
	}
	return false
}
