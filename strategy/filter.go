package strategy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/review"
)

// subject is what an event is about, as filters look at it: a pull request,
// an issue, or commits.
type subject struct {
	// what it is called in reasons.
	what string
	// reason says why nothing can be run on it; mostly empty.
	reason string
	// filtered says that it has an author, a title and labels to look at.
	filtered      bool
	author        review.Actor
	title         string
	labels        []string
	draft, closed bool
	// branch is the base branch; of a push, the branch pushed to.
	branch string
	// changes says that it has changed files.
	changes bool
}

func subjectOf(ev review.Event) subject {
	switch p := ev.Pull; {
	case p == nil:
		return subject{reason: "the event names no pull request"}
	case ev.Issue != nil:
		i := ev.Issue
		return subject{what: "the issue", filtered: true, author: i.Author, title: i.Title, labels: i.Labels}
	case p.Number == 0:
		branch := p.BaseRef
		if branch == "" {
			branch = p.HeadRef
		}
		return subject{what: "the commits", branch: strings.TrimPrefix(branch, "refs/heads/"), changes: p.BaseSHA != ""}
	default:
		return subject{
			what: "the pull request", filtered: true, author: p.Author, title: p.Title, labels: p.Labels, draft: p.Draft,
			// Whoever listens to the closing wants to see what is closed.
			closed: p.Closed && ev.String() != "pull_request.closed",
			branch: p.BaseRef, changes: true,
		}
	}
}

// filters are the reasons not to look at a subject, the plainest first. Each
// returns "" to let it pass.
var filters = []func(*Pipeline, subject) string{closed, draft, labelled, written, branched, titled}

func closed(_ *Pipeline, s subject) string {
	if !s.closed {
		return ""
	}
	return "the pull request is closed"
}

func draft(p *Pipeline, s subject) string {
	switch {
	case !s.draft || p.Filter.Drafts:
		return ""
	case slices.Contains(p.On, "pull_request.ready_for_review"):
		return "the pull request is a draft; it is reviewed when marked ready for review"
	default:
		return "the pull request is a draft"
	}
}

func labelled(p *Pipeline, s subject) string {
	if !s.filtered {
		return ""
	}
	f := p.Filter.Labels
	for _, label := range s.labels {
		if holdsFold(f.Skip, label) {
			return fmt.Sprintf("%s has the label %q", s.what, label)
		}
	}
	if len(f.Require) > 0 && !slices.ContainsFunc(s.labels, func(l string) bool { return holdsFold(f.Require, l) }) {
		return fmt.Sprintf("%s has none of the labels %s", s.what, strings.Join(f.Require, ", "))
	}
	return ""
}

// holdsFold compares without case: GitHub's labels differ by more than case.
func holdsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

func written(p *Pipeline, s subject) string {
	f, login := p.Filter.Authors, s.author.Login
	matches := func(pattern string) bool { return matchLogin(pattern, login) }
	switch {
	case !s.filtered:
		return ""
	case f.SkipBots && s.author.Bot:
		return fmt.Sprintf("%s is by a bot, %s", s.what, login)
	case slices.ContainsFunc(f.Skip, matches):
		return fmt.Sprintf("%s is by %s", s.what, login)
	case len(f.Only) > 0 && !slices.ContainsFunc(f.Only, matches):
		return fmt.Sprintf("%s is by %s, who is not among authors.only", s.what, login)
	}
	return ""
}

// matchLogin compares without case; "*" in the pattern stands for any letters.
func matchLogin(pattern, login string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	rest := strings.ToLower(login)
	if len(parts) == 1 {
		return parts[0] == rest
	}
	rest, ok := strings.CutPrefix(rest, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

func branched(p *Pipeline, s subject) string {
	if len(p.Filter.Branches) == 0 || s.branch == "" || matchesAny(p.Filter.Branches, s.branch) {
		return ""
	}
	return fmt.Sprintf("the branch %s is not among branches", oneLine(s.branch))
}

func titled(p *Pipeline, s subject) string {
	for _, word := range p.Filter.Title.Skip {
		if s.filtered && hasWord(s.title, word) {
			return fmt.Sprintf("the title of %s has %q", s.what, word)
		}
	}
	return ""
}

// hasWord reports whether the text has the word, or words, not as a part of
// longer ones and in whichever case.
func hasWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	for at := 0; word != ""; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		start := at + i
		end := start + len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		first, _ := utf8.DecodeRuneInString(word)
		last, _ := utf8.DecodeLastRuneInString(word)
		if !(isLetter(first) && isLetter(before)) && !(isLetter(last) && isLetter(after)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		at = start + size
	}
	return false
}

func isLetter(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

func (f PathFilter) any() bool { return len(f.Only)+len(f.Ignore) > 0 }

// pathsRefuse is the reason that the changed files give.
func pathsRefuse(f PathFilter, s subject, settings Settings) string {
	if !f.any() || !s.changes || settings.Truncated {
		return ""
	}
	counts := func(path string) bool {
		return path != "" && (len(f.Only) == 0 || matchesAny(f.Only, path)) && !matchesAny(f.Ignore, path)
	}
	for _, file := range settings.Files {
		// A file that was moved away was there.
		if counts(file.Path) || counts(file.OldPath) {
			return ""
		}
	}
	if len(f.Only) > 0 {
		return "no changed file matches paths.only: " + oneLine(strings.Join(f.Only, ", "))
	}
	return "all changed files match paths.ignore"
}
