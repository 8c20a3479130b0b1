package reports

import "assay/review"

// Options say how a run is rendered. The zero value renders without links and
// without colour.
type Options struct {
	// RunURL is the address of the run's own page, the full report; "" when
	// there is none.
	RunURL string
	// GitHubURL is GitHub's address, as "https://github.com", for links to
	// lines of code; "" for none, as in a local checkout.
	GitHubURL string
	// Comment says when the summary comment is wanted; "" means
	// CommentFindings.
	Comment CommentPolicy
	// HasComment says that the pull request already has a summary comment of
	// ours. It is then kept up to date even when nothing is left to say.
	HasComment bool
	// Version is the version of Assay, for formats that name their tool.
	Version string
	// Terminal is read by the text format alone.
	Terminal TerminalOptions
}

// CommentPolicy says when a run's summary comment is wanted.
type CommentPolicy string

// The policies, as in the config's report.comment.
const (
	CommentFindings CommentPolicy = "findings"
	CommentAlways   CommentPolicy = "always"
	CommentNever    CommentPolicy = "never"
)

// document is a run being rendered as Markdown.
type document struct {
	run      review.Run
	o        Options
	links    Links
	findings []review.Finding
}

func newDocument(run review.Run, o Options) document {
	return document{run: run, o: o, links: NewLinks(o.GitHubURL, run), findings: Sorted(run.Findings)}
}
