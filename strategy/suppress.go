package strategy

import (
	"fmt"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"assay/review"
)

// Suppression is a finding, or a kind of finding, that the team has decided to
// live with, by whose word and until when.
type Suppression struct {
	// Fingerprint is the ID of one finding; or else Rule is a rule's ID, and
	// Paths globs of the files in which it does not count.
	Fingerprint string   `json:"fingerprint,omitempty"`
	Rule        string   `json:"rule,omitempty"`
	Paths       []string `json:"paths,omitempty"`
	Reason      string   `json:"reason"`
	Owner       string   `json:"owner"`
	// Until is the last day on which it holds, as 2027-01-31 (UTC).
	Until string `json:"until"`
	// Origin is where it stands.
	Origin Origin `json:"origin"`
}

// Suppressed is a finding that does not count, and why.
type Suppressed struct {
	Finding review.Finding
	By      Suppression
}

// ConfigAgent is the name under which the config itself has findings. No agent
// runs by it.
const ConfigAgent = "config"

// ruleExpired is the rule of the finding that an expired suppression is.
const ruleExpired = "config/expired-suppression"

// Suppress takes the suppressed out of the findings, as of a day (the time's
// date in UTC). A suppression that has expired holds nothing back, and is
// itself a finding among the open ones, without a fingerprint. The findings
// given are not changed.
func Suppress(findings []review.Finding, list []Suppression, day time.Time) (open []review.Finding, suppressed []Suppressed) {
	today := day.UTC().Format(time.DateOnly)
	for _, f := range findings {
		if s, ok := suppressionOf(f, list, today); ok {
			suppressed = append(suppressed, Suppressed{Finding: f, By: s})
			continue
		}
		open = append(open, f)
	}
	for _, s := range list {
		if s.expired(today) {
			open = append(open, s.finding())
		}
	}
	return open, suppressed
}

func suppressionOf(f review.Finding, list []Suppression, today string) (Suppression, bool) {
	for _, s := range list {
		if !s.expired(today) && s.matches(f) {
			return s, true
		}
	}
	return Suppression{}, false
}

// expired compares dates as text, which sorts as the days do.
func (s Suppression) expired(today string) bool { return s.Until < today }

func (s Suppression) matches(f review.Finding) bool {
	if s.Fingerprint != "" {
		return s.Fingerprint == f.ID
	}
	return s.Rule == f.Rule && f.Path != "" && matchesAny(s.Paths, f.Path)
}

func (s Suppression) finding() review.Finding {
	what := s.Fingerprint
	if what == "" {
		what = s.Rule + " in " + strings.Join(s.Paths, ", ")
	}
	f := review.Finding{
		Agent: ConfigAgent, Rule: ruleExpired, Severity: review.Low, Category: review.Process,
		Message: fmt.Sprintf("The suppression of %s by %s expired after %s. Mend what it held back, or renew it with its reason.", what, s.Owner, s.Until),
		// Told apart by what they are about, not by where they stand.
		Evidence: what,
	}
	if s.Origin.Layer == Repository {
		f.Path = s.Origin.Path
	}
	return f
}

// matchesAny reports whether any of the globs, which have been checked, matches
// the path.
func matchesAny(globs []string, path string) bool {
	for _, pattern := range globs {
		if doublestar.MatchUnvalidated(pattern, path) {
			return true
		}
	}
	return false
}
