package secrets

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// CompileAll compiles what is otherwise compiled lazily, and holds what the
// scanner relies on.
func CompileAll(a *Agent) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compile: %v", p)
		}
	}()
	if n := len(a.set.always); n > 0 {
		return fmt.Errorf("%d rules have no keywords: they would run on everything", n)
	}
	for _, r := range a.set.rules {
		r.path()
		for _, l := range append(r.allow, a.set.allow...) {
			l.paths()
			l.regexes()
		}
		if r.source == "" {
			continue
		}
		re, reach := r.compiled()
		if r.group > re.NumSubexp() || reach < 1 || reach > maxReach {
			return fmt.Errorf("%s: group %d of %d, reach %d", r.id, r.group, re.NumSubexp(), reach)
		}
		if regexp.MustCompile(`\A(?:` + r.source + `)\z`).MatchString("") {
			return fmt.Errorf("%s matches nothing at all", r.id)
		}
	}
	return nil
}

// Keywords is every keyword of every rule.
func Keywords(a *Agent) string {
	seen := make(map[string]bool)
	for _, r := range a.set.rules {
		for _, k := range r.keywords {
			seen[k] = true
		}
	}
	var all []string
	for k := range seen {
		all = append(all, k)
	}
	sort.Strings(all)
	return strings.Join(all, " ")
}
