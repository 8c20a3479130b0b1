package reports

import (
	"cmp"
	"fmt"
	"strings"

	"assay/review"
)

// Check renders a run as the check run of its pipeline. It is complete in
// every state, so that writing it twice, or writing only the last, gives the
// same check.
func Check(run review.Run, o Options) review.CheckRun {
	c := review.CheckRun{
		Name:       review.CheckName(run.Pipeline),
		HeadSHA:    run.Pull.HeadSHA,
		ExternalID: run.ID,
		DetailsURL: o.RunURL,
		Status:     checkStatus(run.Status),
		Conclusion: Conclusion(run),
		StartedAt:  run.StartedAt,
	}
	if run.Status.Final() {
		c.CompletedAt = run.FinishedAt
	}
	d := newDocument(run, o)
	c.Output = review.CheckOutput{
		Title:       Title(run),
		Summary:     d.checkSummary(),
		Text:        d.checkText(),
		Annotations: annotations(run, d.findings),
	}
	return c
}

func checkStatus(s review.Status) review.CheckStatus {
	switch s {
	case review.StatusQueued:
		return review.CheckQueued
	case review.StatusRunning:
		return review.CheckInProgress
	default:
		return review.CheckCompleted
	}
}

func (d document) checkSummary() string {
	return fit(MaxSummary, []section{d.lead(), d.health(), d.findingList(), d.suppressed(), d.annotated(), d.problems(), d.configChange(), d.agents(), d.footer()}, d.note)
}

// annotated says when not every finding is annotated on its line.
func (d document) annotated() section {
	if len(d.findings) <= MaxAnnotations {
		return section{}
	}
	return section{name: "annotations", rank: rankLead, head: fmt.Sprintf("The %d most severe findings are annotated on their lines.\n", MaxAnnotations)}
}

// checkText is "" when there is nothing more to say than the summary does.
func (d document) checkText() string {
	return fit(MaxText, []section{d.details(), d.gaps()}, d.note)
}

// annotations annotates the findings that have a file, most severe first, and
// the mistakes in the config.
func annotations(run review.Run, findings []review.Finding) []review.Annotation {
	var out []review.Annotation
	for _, p := range run.Problems {
		if p.Path == "" || p.Layer != "" || len(out) == MaxAnnotations {
			continue
		}
		line := max(p.Line, 1)
		out = append(out, review.Annotation{
			Path: strings.ToValidUTF8(p.Path, "\uFFFD"), StartLine: line, EndLine: line, Level: review.LevelWarning,
			Title: "Mistake in the config", Message: message(p.Message),
		})
	}
	for _, f := range findings {
		if f.Path == "" {
			continue
		}
		if len(out) == MaxAnnotations {
			break
		}
		out = append(out, annotation(f))
	}
	return out
}

func annotation(f review.Finding) review.Annotation {
	start := max(f.StartLine, 1)
	a := review.Annotation{
		Path:      strings.ToValidUTF8(f.Path, "\uFFFD"),
		StartLine: start,
		EndLine:   max(f.EndLine, start),
		Level:     level(f.Severity),
		Title:     oneLine(f.Severity.String()+": "+f.Rule, MaxTitle),
		Message:   message(f.Message),
	}
	if f.Fix != nil && f.StartLine > 0 {
		a.RawDetails = clip("Replace with:\n"+Visible(f.Fix.Replacement), MaxRawDetails)
	}
	return a
}

// message is the text of an annotation. GitHub shows it as it is, without
// Markdown, and refuses an empty one.
func message(s string) string {
	return clip(cmp.Or(strings.TrimSpace(Visible(clip(s, 2*MaxMessage))), "No message."), MaxMessage)
}

// level is the annotation level of a severity.
func level(s review.Severity) review.AnnotationLevel {
	switch {
	case s >= review.High:
		return review.LevelFailure
	case s == review.Medium:
		return review.LevelWarning
	default:
		return review.LevelNotice
	}
}
