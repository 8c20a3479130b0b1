package reports

import (
	"strconv"

	"assay/review"
)

// Markdown renders the whole run as one Markdown page, of at most
// MaxStepSummary bytes.
func Markdown(run review.Run, o Options) string {
	d := newDocument(run, o)
	return fit(MaxStepSummary, []section{d.heading(), d.lead(), d.health(), d.suppressed(), d.problems(), d.configChange(), d.details(), d.agents(), d.gaps(), d.footer()}, d.note)
}

func (d document) heading() section {
	words := "Review"
	if d.run.Pull.Title != "" {
		words = prose(oneLine(d.run.Pull.Title, 300))
	}
	if d.run.Pull.Number > 0 {
		// The number stands in the link's text; without a link it is split
		// like any other reference.
		number := text("#" + strconv.Itoa(d.run.Pull.Number))
		words += " " + linked(number, d.links.Pull())
	}
	return section{name: "title", rank: rankLead, head: "# " + words + "\n"}
}
