package dependencies

import (
	"fmt"
	"strings"

	"assay/review"
)

// optionAllowLicenses lists the licences that the team allows, as SPDX IDs with
// commas between them. Without it licences are not looked at.
const optionAllowLicenses = "allow_licenses"

// licences finds packages whose licence, as the lock file tells it, is not one
// of those allowed: new packages, and those whose licence is another now.
func (a *Agent) licences(d *delta, options map[string]string) []review.Finding {
	allowed := make(map[string]bool)
	for name := range strings.SplitSeq(options[optionAllowLicenses], ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			allowed[name] = true
		}
	}
	if len(allowed) == 0 {
		return nil
	}
	had := make(map[id]map[string]bool)
	for _, f := range d.files {
		for _, p := range f.before.Packages {
			key := id{f.before.Ecosystem, p.Name}
			if had[key] == nil {
				had[key] = make(map[string]bool)
			}
			had[key][p.Licence] = true
		}
	}
	var found []review.Finding
	for _, e := range d.brought {
		if e.Licence == "" || had[e.id()][e.Licence] {
			continue
		}
		ok, known := permits(e.Licence, allowed)
		if ok || !known {
			continue
		}
		if had[e.id()] == nil {
			had[e.id()] = make(map[string]bool)
		}
		had[e.id()][e.Licence] = true
		found = append(found, a.finding(ruleLicence, e, fmt.Sprintf("%s %s is under %s, which the team does not allow. Use another package, or add it to %s.", e.Name, e.Version, e.Licence, optionAllowLicenses)))
	}
	return found
}

// permits reports whether an SPDX expression can be met with the licences
// allowed (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/);
// known is false where it is no such expression.
func permits(expression string, allowed map[string]bool) (ok, known bool) {
	const most = 1000
	if len(expression) > most {
		return false, false
	}
	s := &spdx{allowed: allowed}
	s.tokens = strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression))
	ok = s.or(0)
	return ok, !s.bad && len(s.tokens) == 0
}

// spdx reads an expression from the left: OR binds least, then AND, then WITH.
type spdx struct {
	tokens  []string
	allowed map[string]bool
	bad     bool
}

func (s *spdx) next(word string) bool {
	if len(s.tokens) > 0 && strings.EqualFold(s.tokens[0], word) {
		s.tokens = s.tokens[1:]
		return true
	}
	return false
}

func (s *spdx) or(depth int) bool {
	ok := s.and(depth)
	for s.next("OR") {
		ok = s.and(depth) || ok
	}
	return ok
}

func (s *spdx) and(depth int) bool {
	ok := s.simple(depth)
	for s.next("AND") {
		ok = s.simple(depth) && ok
	}
	return ok
}

func (s *spdx) simple(depth int) bool {
	const deepest = 20
	if s.next("(") {
		if depth == deepest {
			s.bad = true
			return false
		}
		ok := s.or(depth + 1)
		s.bad = s.bad || !s.next(")")
		return ok
	}
	if len(s.tokens) == 0 || !isLicenceID(s.tokens[0]) {
		s.bad = true
		return false
	}
	name := strings.ToLower(s.tokens[0])
	s.tokens = s.tokens[1:]
	ok := s.allows(name)
	if s.next("WITH") && len(s.tokens) > 0 {
		ok = ok || s.allowed[name+" with "+strings.ToLower(s.tokens[0])]
		s.tokens = s.tokens[1:]
	}
	return ok
}

// allows knows that GPL-2.0+ is what SPDX calls GPL-2.0-or-later today, and
// that either includes the version itself.
func (s *spdx) allows(name string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(name, "+"), "-or-later")
	if base == name {
		return s.allowed[name]
	}
	return s.allowed[name] || s.allowed[base] || s.allowed[base+"-only"] || s.allowed[base+"+"] || s.allowed[base+"-or-later"]
}

// isLicenceID reports whether a word can be a licence: npm's UNLICENSED and
// "SEE LICENSE IN …", and Composer's "proprietary", say that there is none
// that is known.
func isLicenceID(word string) bool {
	switch strings.ToLower(word) {
	case "unlicensed", "see", "license", "in", "proprietary", "and", "or", "with", ")", "unknown", "noassertion", "none":
		return false
	}
	return strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+:") == ""
}
