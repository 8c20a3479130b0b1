package osv

import (
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"

	"assay/review"
)

// severity is GitHub's word where the record has one, for a person chose it;
// else what the scores come to.
func (r *record) severity(scores []score) review.Severity {
	if word, ok := r.DatabaseSpecific.Severity.(string); ok {
		switch strings.ToUpper(word) {
		case "CRITICAL":
			return review.Critical
		case "HIGH":
			return review.High
		case "MODERATE", "MEDIUM":
			return review.Medium
		case "LOW":
			return review.Low
		}
	}
	worst := review.SeverityNone
	for _, s := range scores {
		worst = max(worst, rating(s.Score))
	}
	return worst
}

// rating is the qualitative rating of a CVSS vector; SeverityNone for what is
// none. Version 2 is rated by the scale of version 3
// (https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale).
func rating(vector string) review.Severity {
	const longest = 512
	if len(vector) > longest {
		return review.SeverityNone
	}
	switch base := baseScore(vector); {
	case base >= 9:
		return review.Critical
	case base >= 7:
		return review.High
	case base >= 4:
		return review.Medium
	case base > 0:
		return review.Low
	default:
		return review.SeverityNone
	}
}

func baseScore(vector string) float64 {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		if v, err := cvss40.ParseVector(vector); err == nil {
			return v.Score()
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		if v, err := cvss31.ParseVector(vector); err == nil {
			return v.BaseScore()
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		if v, err := cvss30.ParseVector(vector); err == nil {
			return v.BaseScore()
		}
	case strings.HasPrefix(vector, "AV:"):
		if v, err := cvss20.ParseVector(vector); err == nil {
			return v.BaseScore()
		}
	}
	return 0
}
