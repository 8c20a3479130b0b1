package dependencies

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/agents"
	"assay/review"
)

const (
	// maxAsked bounds the versions that a source is asked about: more than the
	// lock files of very large projects hold.
	maxAsked = 10_000
	// maxListed is how many advisories a message names.
	maxListed = 5
	// maxSummary is how much of an advisory's summary it tells, in bytes.
	maxSummary = 120
)

// advised makes the findings of what the source knows. Advisories that held of
// the versions that were there before are not repeated. note says what was not
// looked up.
func (a *Agent) advised(ctx context.Context, in agents.Input, d *delta) (found []review.Finding, note string, err error) {
	vulnerable, malicious := a.speaks(ruleVulnerable, in.Policy), a.speaks(ruleMalicious, in.Policy)
	places := d.places()
	if len(places) == 0 || !vulnerable && !malicious {
		return nil, "", nil
	}
	if a.source == nil {
		return nil, "known vulnerabilities were not looked up: this Assay has no source of them", nil
	}
	asked, left := d.questions(places)
	if left > 0 {
		note = fmt.Sprintf("known vulnerabilities of %d versions were not looked up: at most %d are", left, maxAsked)
	}
	advisories, err := a.source.Advisories(ctx, in.Change, asked)
	if err != nil {
		return nil, note, err
	}
	known := make(map[review.Package][]review.Advisory)
	for _, adv := range advisories {
		known[adv.Package] = append(known[adv.Package], adv)
	}
	for _, key := range keys(places) {
		had := make(map[string]bool)
		for _, version := range d.before[key] {
			for _, adv := range known[packageOf(key, version)] {
				had[adv.ID] = true
				for _, alias := range adv.Aliases {
					had[alias] = true
				}
			}
		}
		for _, version := range slices.Sorted(maps.Keys(places[key])) {
			bad, weak := split(fresh(known[packageOf(key, version)], had))
			at := places[key][version][0]
			if malicious && len(bad) > 0 {
				found = append(found, a.maliciousFinding(at, key, version, bad))
			}
			if vulnerable && len(weak) > 0 {
				found = append(found, a.vulnerableFinding(places[key][version], key, version, weak))
			}
		}
	}
	return found, note, nil
}

// questions are the versions that the source is asked about, in order, and how
// many had to be left out.
func (d *delta) questions(places map[id]map[string][]entry) (asked []review.Package, left int) {
	for _, key := range keys(places) {
		versions := slices.Sorted(maps.Keys(places[key]))
		for _, v := range slices.Concat(versions, d.before[key]) {
			asked = append(asked, packageOf(key, v))
		}
	}
	if over := len(asked) - maxAsked; over > 0 {
		return asked[:maxAsked], over
	}
	return asked, 0
}

func packageOf(key id, version string) review.Package {
	return review.Package{Ecosystem: key.ecosystem, Name: key.name, Version: version}
}

// problem is one vulnerability by all the names it has.
type problem struct {
	// best is the advisory that tells most.
	best     review.Advisory
	names    map[string]bool
	severity review.Severity
	fixed    []string
}

// fresh joins advisories about the same problem and drops those that were
// there before. The worst come first.
func fresh(advisories []review.Advisory, had map[string]bool) []*problem {
	var problems []*problem
	for _, adv := range advisories {
		p := &problem{best: adv, names: map[string]bool{adv.ID: true}, severity: adv.Severity, fixed: adv.Fixed}
		for _, alias := range adv.Aliases {
			p.names[alias] = true
		}
		kept := problems[:0]
		for _, other := range problems {
			if overlap(p.names, other.names) {
				p.join(other)
				continue
			}
			kept = append(kept, other)
		}
		problems = append(kept, p)
	}
	problems = slices.DeleteFunc(problems, func(p *problem) bool { return overlap(p.names, had) })
	slices.SortStableFunc(problems, func(a, b *problem) int {
		if a.severity != b.severity {
			return int(b.severity) - int(a.severity)
		}
		return strings.Compare(a.best.ID, b.best.ID)
	})
	return problems
}

func (p *problem) join(other *problem) {
	maps.Copy(p.names, other.names)
	p.severity = max(p.severity, other.severity)
	p.fixed = slices.Concat(p.fixed, other.fixed)
	malicious := p.best.Malicious || other.best.Malicious
	if worth(other.best) > worth(p.best) || worth(other.best) == worth(p.best) && other.best.ID < p.best.ID {
		p.best = other.best
	}
	p.best.Malicious = malicious
}

// worth ranks advisories about the same problem by what they tell people:
// GitHub's have a severity and are what its users know.
func worth(adv review.Advisory) int {
	w := 0
	if strings.HasPrefix(adv.ID, "GHSA-") {
		w += 2
	}
	if adv.Summary != "" {
		w++
	}
	return w
}

func overlap(a, b map[string]bool) bool {
	for name := range a {
		if b[name] {
			return true
		}
	}
	return false
}

func split(problems []*problem) (malicious, vulnerable []*problem) {
	for _, p := range problems {
		if p.best.Malicious {
			malicious = append(malicious, p)
		} else {
			vulnerable = append(vulnerable, p)
		}
	}
	return malicious, vulnerable
}

func (a *Agent) maliciousFinding(at entry, key id, version string, problems []*problem) review.Finding {
	f := a.finding(ruleMalicious, at, fmt.Sprintf(
		"%s %s is known to be malicious (%s). Do not install it; where it was installed, treat the machine and its secrets as stolen.",
		key.name, version, listed(problems)))
	f.HelpURL = orElse(problems[0].best.URL, f.HelpURL)
	return f
}

func (a *Agent) vulnerableFinding(places []entry, key id, version string, problems []*problem) review.Finding {
	count := "a known vulnerability"
	if len(problems) > 1 {
		count = fmt.Sprintf("%d known vulnerabilities", len(problems))
	}
	advice := "No version fixes it yet."
	fixed, all := fixedVersion(key.ecosystem, version, problems)
	switch {
	case fixed != "" && all:
		advice = fmt.Sprintf("Use %s or later.", fixed)
	case fixed != "":
		advice = fmt.Sprintf("%s fixes some of them; for others there is no fix yet.", fixed)
	case len(problems) > 1:
		advice = "No version fixes them yet."
	}
	f := a.finding(ruleVulnerable, places[0], fmt.Sprintf("%s %s has %s: %s. %s", key.name, version, count, listed(problems), advice))
	if problems[0].severity != review.SeverityNone {
		f.Severity = problems[0].severity
	}
	f.HelpURL = orElse(problems[0].best.URL, f.HelpURL)
	if fixed != "" && all {
		f.Fix = places[0].upgrade(key.ecosystem, version, fixed)
	}
	return f
}

// upgrade is a fix of one line: only where nothing else has to change with it,
// and the version stays in its line of compatible releases.
func (e entry) upgrade(ecosystem, from, to string) *review.Fix {
	if !e.Pinned || e.line() != e.VersionLine || e.VersionLine > len(e.file.lines) || !sameMajor(ecosystem, from, to) {
		return nil
	}
	text := strings.TrimSuffix(e.file.lines[e.VersionLine-1], "\r")
	if strings.Count(text, from) != 1 {
		return nil
	}
	return &review.Fix{Replacement: strings.Replace(text, from, to, 1)}
}

// listed names the advisories, the worst first.
func listed(problems []*problem) string {
	var parts []string
	for i, p := range problems {
		if i == maxListed {
			parts = append(parts, fmt.Sprintf("and %d more", len(problems)-maxListed))
			break
		}
		var facts []string
		if s := oneLine(p.best.Summary); s != "" {
			facts = append(facts, s)
		}
		if p.severity != review.SeverityNone && !p.best.Malicious {
			facts = append(facts, p.severity.String())
		}
		text := p.best.ID
		if len(facts) > 0 {
			text += " (" + strings.Join(facts, "; ") + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func oneLine(s string) string {
	s = strings.TrimRight(strings.Join(strings.Fields(s), " "), ".")
	if len(s) > maxSummary {
		s = strings.ToValidUTF8(s[:maxSummary], "") + "…"
	}
	return s
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
