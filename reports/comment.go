package reports

import (
	"fmt"

	"assay/review"
)

// CommentMarker is the first line of the summary comment, by which the comment
// is found again. It is public: whoever looks for it must check the author too.
const CommentMarker = "<!-- assay:summary -->"

// Comment renders the pull request's one summary comment. It is not ok, and the
// body empty, when nothing is to be posted: nothing was found, the policy says
// never, or the run did not come to a result. A comment that exists already is
// then left as it is, but for a run that reviewed everything and found nothing:
// it tells the comment that nothing is open any more. A run that missed
// something cannot know that.
func Comment(run review.Run, o Options) (body string, ok bool) {
	if run.Status != review.StatusDone || o.Comment == CommentNever {
		return "", false
	}
	d := newDocument(run, o)
	switch {
	case len(run.Findings) > 0 || o.Comment == CommentAlways:
		return d.comment(d.lead()), true
	case o.HasComment && clean(run):
		return d.comment(section{name: "verdict", rank: rankLead, head: "No open findings.\n"}), true
	default:
		return "", false
	}
}

func (d document) comment(lead section) string {
	marker := CommentMarker + "\n"
	gaps := d.gaps()
	gaps.head = "" // the fold's title says it
	sections := []section{
		lead, d.findingList(), d.suppressed(), d.health(), d.problems(), d.configChange(),
		folded(d.agents(), d.coverageTitle()), folded(gaps, capital(gapsTitle)), d.footer(),
	}
	return marker + fit(MaxComment-len(marker), sections, d.note)
}

func (d document) coverageTitle() string {
	done := 0
	for _, a := range d.run.Agents {
		if a.Status == review.AgentDone {
			done++
		}
	}
	return fmt.Sprintf("Coverage and time: %d of %s done", done, plural(len(d.run.Agents), "agent"))
}

// folded puts a section under a title that opens it. The title is ours, not a
// stranger's.
func folded(s section, title string) section {
	if s.n == 0 {
		return section{}
	}
	s.head = "<details><summary>" + title + "</summary>\n\n" + s.head
	s.tail += "\n</details>\n"
	return s
}
