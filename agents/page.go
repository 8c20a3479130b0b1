package agents

import (
	"fmt"
	"slices"
	"strings"

	"assay/review"
)

// manyAlike is from how many rules on a table stands for sections: rules that
// differ in nothing but what they find.
const manyAlike = 8

// Page renders the documentation of an agent's rules as Markdown: a section for
// each rule, under a heading with the rule's name, which is its anchor.
func Page(name, about string, rules []Rule) []byte {
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Written by go test ./internal/app -update; do not edit. -->\n\n# %s\n\n%s\n", name, strings.TrimSpace(about))
	if len(rules) == 0 {
		return []byte(b.String())
	}
	b.WriteString(silencing)
	for _, group := range alike(rules) {
		if len(group) >= manyAlike {
			table(&b, group)
			continue
		}
		for _, r := range group {
			section(&b, r)
		}
	}
	return []byte(b.String())
}

// silencing says what holds for all rules of all agents.
const silencing = `
Each rule has the least profile in which it speaks: *quiet* (the default: what is almost never wrong), *standard* or *strict*. The config may
give a rule, by its ID or its name, another severity, which makes it speak in every profile, or turn it off. A single finding is silenced by
its fingerprint under "suppress", a path under "paths.ignore": see [the configuration](../configuration.md).
`

// alike groups rules that agree in all but their ID, severity and what they
// find, in the order of the first of each.
func alike(rules []Rule) [][]Rule {
	var groups [][]Rule
	at := make(map[string]int)
	for _, r := range rules {
		key := strings.Join([]string{r.Why, r.Fix, r.Example, r.Silence, r.HelpURL, string(r.Category)}, "\x00")
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

func section(b *strings.Builder, r Rule) {
	_, name, _ := strings.Cut(r.ID, "/")
	fmt.Fprintf(b, "\n## %s\n\n%s · %s · %s\n\n%s %s\n", name, r.Severity, r.Category, profileOf(r), r.What, r.Why)
	rest(b, r)
}

// rest is what rules that are alike have in common.
func rest(b *strings.Builder, r Rule) {
	if r.Example != "" {
		fence := strings.Repeat("`", 3+strings.Count(r.Example, "```"))
		fmt.Fprintf(b, "\n%stext\n%s\n%s\n", fence, strings.Trim(r.Example, "\n"), fence)
	}
	fmt.Fprintf(b, "\n**Fix:** %s\n", r.Fix)
	if r.Silence != "" {
		fmt.Fprintf(b, "\n**Silence:** %s\n", r.Silence)
	}
	if r.HelpURL != "" {
		fmt.Fprintf(b, "\n[More](%s)\n", r.HelpURL)
	}
}

func table(b *strings.Builder, group []Rule) {
	fmt.Fprintf(b, "\n## Rules of one kind\n\n%s\n", group[0].Why)
	rest(b, group[0])
	b.WriteString("\n| rule | severity | profile | finds |\n| --- | --- | --- | --- |\n")
	for _, r := range group {
		_, name, _ := strings.Cut(r.ID, "/")
		fmt.Fprintf(b, "| <a id=\"%s\"></a>`%s` | %s | %s | %s |\n", name, name, r.Severity, profileOf(r), strings.ReplaceAll(r.What, "|", `\|`))
	}
}

func profileOf(r Rule) review.Profile {
	if r.Profile == "" {
		return review.ProfileQuiet
	}
	return r.Profile
}
