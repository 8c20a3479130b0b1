package reports

import (
	"io"

	"assay/review"
)

// The Reviewdog Diagnostic Format
// (https://github.com/reviewdog/reviewdog/tree/master/proto/rdf), as far as
// findings need it.
type (
	rdResult struct {
		Source      rdSource       `json:"source"`
		Diagnostics []rdDiagnostic `json:"diagnostics"`
	}
	rdSource struct {
		Name string `json:"name"`
	}
	rdDiagnostic struct {
		Message     string         `json:"message"`
		Location    rdLocation     `json:"location"`
		Severity    string         `json:"severity"`
		Code        rdCode         `json:"code"`
		Suggestions []rdSuggestion `json:"suggestions,omitempty"`
	}
	rdCode struct {
		Value string `json:"value"`
		URL   string `json:"url,omitempty"`
	}
	rdLocation struct {
		Path  string   `json:"path"`
		Range *rdRange `json:"range,omitempty"`
	}
	// rdRange without columns is whole lines.
	rdRange struct {
		Start rdPosition `json:"start"`
		End   rdPosition `json:"end"`
	}
	rdPosition struct {
		Line int `json:"line"`
	}
	rdSuggestion struct {
		Range rdRange `json:"range"`
		Text  string  `json:"text"`
	}
)

// RDJSON writes the findings in reviewdog's rdjson.
func RDJSON(w io.Writer, run review.Run, _ Options) error {
	r := rdResult{Source: rdSource{Name: "assay"}, Diagnostics: make([]rdDiagnostic, 0, len(run.Findings))}
	for _, f := range Sorted(run.Findings) {
		r.Diagnostics = append(r.Diagnostics, diagnostic(f))
	}
	return encode(w, r)
}

func diagnostic(f review.Finding) rdDiagnostic {
	d := rdDiagnostic{
		Message: message(f.Message), Severity: rdSeverity(f.Severity),
		Location: rdLocation{Path: f.Path}, Code: rdCode{Value: f.Rule},
	}
	if _, ok := HelpHost(f.HelpURL); ok {
		d.Code.URL = f.HelpURL
	}
	if f.StartLine <= 0 {
		return d
	}
	lines := rdRange{Start: rdPosition{f.StartLine}, End: rdPosition{max(f.EndLine, f.StartLine)}}
	d.Location.Range = &lines
	if f.Fix != nil {
		d.Suggestions = []rdSuggestion{{Range: lines, Text: f.Fix.Replacement}}
	}
	return d
}

func rdSeverity(s review.Severity) string {
	switch {
	case s >= review.High:
		return "ERROR"
	case s == review.Medium:
		return "WARNING"
	default:
		return "INFO"
	}
}
