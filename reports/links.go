package reports

import (
	"net/url"
	"strconv"
	"strings"

	"assay/review"
)

// Links makes addresses on GitHub for one run. The zero value makes none: each
// method then returns "".
type Links struct {
	repo string
	sha  string
	pull int
}

// NewLinks returns the links of a run below GitHub's address, as
// "https://github.com". There are none when base is not an http address or the
// run has no repository, as in a local checkout.
func NewLinks(base string, run review.Run) Links {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || run.Repo.Owner == "" || run.Repo.Name == "" {
		return Links{}
	}
	root := strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/")
	return Links{
		repo: root + "/" + segment(run.Repo.Owner) + "/" + segment(run.Repo.Name),
		sha:  segment(run.Pull.HeadSHA),
		pull: run.Pull.Number,
	}
}

// Repo is the address of the repository.
func (l Links) Repo() string { return l.repo }

// Pull is the address of the pull request.
func (l Links) Pull() string {
	if l.repo == "" || l.pull == 0 {
		return ""
	}
	return l.repo + "/pull/" + strconv.Itoa(l.pull)
}

// Commit is the address of the head commit.
func (l Links) Commit() string {
	if l.repo == "" || l.sha == "" {
		return ""
	}
	return l.repo + "/commit/" + l.sha
}

// Lines is the address of lines of a file at the head. Lines that are 0 are
// left out.
func (l Links) Lines(path string, start, end int) string {
	if l.repo == "" || l.sha == "" || path == "" {
		return ""
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "" // no path of a git tree: a browser would resolve it away
		}
		segments[i] = segment(s)
	}
	// "plain=1" keeps GitHub from rendering Markdown files, which have no lines
	// to point at.
	address := l.repo + "/blob/" + l.sha + "/" + strings.Join(segments, "/")
	if start <= 0 {
		return address
	}
	if strings.HasSuffix(strings.ToLower(path), ".md") {
		address += "?plain=1"
	}
	address += "#L" + strconv.Itoa(start)
	if end > start {
		address += "-L" + strconv.Itoa(end)
	}
	return address
}

// segment escapes one segment of a path so that it ends no Markdown link and
// names nobody.
func segment(s string) string {
	return strings.ReplaceAll(url.PathEscape(strings.ToValidUTF8(s, "\uFFFD")), "@", "%40")
}

// HelpHost returns the host that a finding's help leads to, and whether the
// address may be shown as a link: https, and nothing in it but host and path.
func HelpHost(address string) (host string, ok bool) {
	if address == "" || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune("<>\"'`()[]{}|\\@", r) }) {
		return "", false
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", false
	}
	return u.Host, true
}

// linked is Markdown for label (itself Markdown) leading to address; the label
// alone when there is no address.
func linked(label, address string) string {
	if address == "" {
		return label
	}
	return "[" + label + "](" + address + ")"
}
