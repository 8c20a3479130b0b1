package pullrequest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/agents"
	"assay/review"
)

// readSide reads a whole file; ok is false when there is none or it is too
// large.
func readSide(ctx context.Context, change *review.Change, side review.Side, at string) (text []byte, ok bool, err error) {
	if change.Contents == nil {
		return nil, false, nil
	}
	text, err = change.Contents.Read(ctx, side, at)
	switch {
	case errors.Is(err, review.ErrNotExist), errors.Is(err, review.ErrTooLarge):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read %s: %w", at, err)
	}
	return text, true, nil
}

// listHead lists the files of the head; none where they are not known.
func listHead(ctx context.Context, change *review.Change) ([]review.Entry, error) {
	if change.Tree == nil {
		return nil, nil
	}
	entries, err := change.Tree.List(ctx, review.Head)
	if errors.Is(err, review.ErrTooLarge) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the files of the head: %w", err)
	}
	return entries, nil
}

// conventionFiles say that titles or commits follow Conventional Commits.
var conventionFiles = regexp.MustCompile(`^(?:\.commitlintrc(?:\.(?:json|ya?ml|[cm]?[jt]s))?|commitlint\.config\.[cm]?[jt]s|\.github/semantic\.ya?ml|\.czrc|\.cz\.(?:toml|json|ya?ml)|release-please-config\.json|\.versionrc(?:\.(?:json|js|cjs))?)$`)

// conventional is the form alone: which types there are is the team's choice
// (https://www.conventionalcommits.org/en/v1.0.0/).
var conventional = regexp.MustCompile(`^(?:[\p{L}\d_-]+(?:\([^()]+\))?!?: \S|Revert "|Reapply "|Merge )`)

// convention looks at the title where a file of the repository says that titles
// follow a convention; elsewhere half of all titles would be wrong.
func (a *Agent) convention(ctx context.Context, change *review.Change, entries []review.Entry) ([]review.Finding, error) {
	p := change.Pull
	if p.Number == 0 || p.Author.Bot || p.Draft || strings.TrimSpace(p.Title) == "" || conventional.MatchString(p.Title) {
		return nil, nil
	}
	i := slices.IndexFunc(entries, func(e review.Entry) bool { return conventionFiles.MatchString(e.Path) })
	said := ""
	switch {
	case i >= 0:
		said = entries[i].Path
	case slices.ContainsFunc(entries, func(e review.Entry) bool { return e.Path == "package.json" }):
		text, ok, err := readSide(ctx, change, review.Base, "package.json")
		if err != nil || !ok || !bytes.Contains(text, []byte(`"@commitlint/config-conventional"`)) {
			return nil, err
		}
		said = "package.json"
	default:
		return nil, nil
	}
	return []review.Finding{a.finding(ruleTitleForm, fmt.Sprintf("The title is not of the form \"type: what changes\", which %s asks for.", said))}, nil
}

// issue wants a link to an issue; it is for teams that track all work.
func (a *Agent) issue(p review.Pull, m measure) []review.Finding {
	if p.Number == 0 || p.Author.Bot || m.lines < a.cfg.NeedsDescription {
		return nil
	}
	for _, text := range []string{p.Title, comment.ReplaceAllString(p.Body, ""), p.HeadRef} {
		if issueLink.MatchString(text) {
			return nil
		}
	}
	return []review.Finding{a.finding(ruleNoIssue, "Neither title, description nor branch names an issue: link the one that this is for.")}
}

var issueLink = regexp.MustCompile(`(?:^|[^\w&])(?:#|(?i:gh)-)\d+\b|/issues/\d+|\b[A-Z][A-Z0-9]+-\d+\b|linear\.app/|/browse/|\bapp\.asana\.com/`)

// testable says whether the repository has tests beside files like this one: of
// the same language, in the tree that it knows. Where the tree is not known it
// is taken to have.
func testable(entries []review.Entry, largest string) bool {
	if len(entries) == 0 {
		return true
	}
	family := familyOf(largest)
	return slices.ContainsFunc(entries, func(e review.Entry) bool {
		return slices.Contains(family, strings.ToLower(path.Ext(e.Path))) && agents.TestPath(e.Path) && testName.MatchString(e.Path)
	})
}

// testName tells a test from the fixtures and samples that agents.TestPath
// knows too.
var testName = regexp.MustCompile(`(?i)(?:test|spec)`)

// familyOf are the extensions of the languages that test each other.
func familyOf(p string) []string {
	ext := strings.ToLower(path.Ext(p))
	for _, family := range [][]string{
		{".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".vue", ".svelte"},
		{".java", ".kt", ".scala", ".groovy"},
		{".c", ".cc", ".cpp", ".cxx", ".m", ".mm"},
		{".cs", ".fs", ".vb"}, {".ex", ".exs"},
	} {
		if slices.Contains(family, ext) {
			return family
		}
	}
	return []string{ext}
}
