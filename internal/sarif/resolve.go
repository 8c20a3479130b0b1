package sarif

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// resolve makes a run of what was read of it.
func (o *raw) resolve(root string) Run {
	run := Run{
		Tool: cut(o.driver.name, maxName), Version: cut(o.driver.version, maxName),
		Category: cut(strings.TrimSuffix(o.automation.ID, "/"), maxName), Failed: o.failed(),
	}
	at := o.roots(root)
	byID := o.rulesByID()
	for i := range o.results {
		run.Results = append(run.Results, o.result(&o.results[i], at, byID))
	}
	return run
}

// failed says why the tool's work is not whole, in its own words.
func (o *raw) failed() string {
	for _, c := range o.calls {
		if c.Successful == nil || *c.Successful {
			continue
		}
		for _, n := range c.Notifications {
			if n.Level == "error" && n.Message.Text != "" {
				return cut(n.Message.Text, maxName)
			}
		}
		if c.Why != "" {
			return cut(c.Why, maxName)
		}
		return "the tool says that it did not succeed"
	}
	return ""
}

// rulesByID is for results that name their rule without its place in the list.
func (o *raw) rulesByID() map[string]*wireRule {
	byID := make(map[string]*wireRule)
	for _, c := range append([]component{o.driver}, o.extensions...) {
		for i := range c.rules {
			if _, ok := byID[c.rules[i].ID]; !ok {
				byID[c.rules[i].ID] = &c.rules[i]
			}
		}
	}
	return byID
}

// rule is the description of the result's rule (section 3.52); an empty one
// where there is none.
func (o *raw) rule(w *wireResult, byID map[string]*wireRule) *wireRule {
	index := w.RuleIndex
	if index == nil {
		index = w.Rule.Index
	}
	c := &o.driver
	if e := w.Rule.Component.Index; e != nil {
		if *e < 0 || *e >= len(o.extensions) {
			return &wireRule{}
		}
		c = &o.extensions[*e]
	}
	if index != nil && *index >= 0 && *index < len(c.rules) {
		return &c.rules[*index]
	}
	id := w.id()
	for id != "" { // "CA1000/1" is a case of the rule "CA1000"
		if r, ok := byID[id]; ok {
			return r
		}
		at := strings.LastIndexByte(id, '/')
		if at < 0 {
			break
		}
		id = id[:at]
	}
	return &wireRule{}
}

func (w *wireResult) id() string {
	if w.RuleID != "" {
		return w.RuleID
	}
	return w.Rule.ID
}

func (o *raw) result(w *wireResult, at roots, byID map[string]*wireRule) Result {
	rule := o.rule(w, byID)
	r := Result{
		Rule: cut(w.id(), maxName), Level: level(w, rule), Security: -1, HelpURL: rule.HelpURI,
		Message: message(w, rule), Fingerprints: w.prints(), Suppressed: w.suppressed(), Unchanged: w.Baseline == "unchanged", New: w.Baseline == "new",
	}
	if r.Rule == "" {
		r.Rule = cut(rule.ID, maxName)
	}
	if len(r.HelpURL) > maxURI {
		r.HelpURL = ""
	}
	for _, bag := range []wireBag{rule.Bag, w.Bag} {
		for _, t := range bag.Tags {
			r.Tags = append(r.Tags, cut(t, maxName))
		}
		if bag.Security.value != nil {
			r.Security = *bag.Security.value
		}
	}
	if len(w.Locations) > 0 {
		place := w.Locations[0].Physical
		r.Path, r.Outside = at.path(o, place.Artifact)
		r.Region = region(place.Region)
		r.Snippet = cut(place.Region.Snippet.Text, maxSnippet)
	}
	for _, f := range w.Fixes {
		if fix, ok := o.fix(f, at); ok {
			r.Fixes = append(r.Fixes, fix)
		}
	}
	return r
}

func level(w *wireResult, rule *wireRule) Level {
	if w.Kind != "" && w.Kind != "fail" {
		return LevelNote // "open", "review", "informational": nothing is known to be wrong
	}
	for _, l := range []Level{w.Level, rule.Default.Level} {
		switch l {
		case LevelNone, LevelNote, LevelWarning, LevelError:
			return l
		}
	}
	return LevelWarning // the standard's default, section 3.27.10
}

// prints are the fingerprints of both kinds.
func (w *wireResult) prints() map[string]string {
	prints := make(map[string]string)
	for _, from := range []some[string]{w.Fingerprints, w.Partial} {
		for name, value := range from {
			prints[name] = cut(value, maxName)
		}
	}
	if len(prints) == 0 {
		return nil
	}
	return prints
}

// message is the result's message as plain text. A message may stand with the
// rule and have arguments, and links that mean something only in the log.
func message(w *wireResult, rule *wireRule) string {
	m := w.Message
	if m.Text == "" && m.ID != "" {
		m.Text = rule.Messages[m.ID].Text
	}
	text := placeholder.ReplaceAllStringFunc(cut(m.Text, maxText), func(p string) string {
		n, err := strconv.Atoi(p[1 : len(p)-1])
		if err != nil || n >= len(m.Arguments) {
			return p
		}
		return cut(m.Arguments[n], maxName)
	})
	text = strings.TrimSpace(innerLink.ReplaceAllString(text, "$1"))
	for _, other := range []string{m.Markdown, rule.Short.Text, rule.Name, w.id(), rule.ID} {
		if text == "" {
			text = strings.TrimSpace(other)
		}
	}
	if text == "" {
		text = "The tool says nothing of what it found."
	}
	return cut(text, maxText)
}

var (
	placeholder = regexp.MustCompile(`\{\d{1,3}\}`)
	// innerLink is a link to one of the result's related places (section 3.11.6).
	innerLink = regexp.MustCompile(`\[([^\[\]]+)\]\(\d+\)`)
)

func region(w wireRegion) Region {
	r := Region{w.StartLine, w.StartColumn, w.EndLine, w.EndColumn}
	if r.StartLine < 1 {
		return Region{}
	}
	if r.EndLine == 0 {
		r.EndLine = r.StartLine
	}
	if r.EndLine < r.StartLine {
		return Region{StartLine: r.StartLine, EndLine: r.StartLine}
	}
	r.StartColumn, r.EndColumn = max(r.StartColumn, 0), max(r.EndColumn, 0)
	return r
}

// fix is an offer of the tool. One of which a part cannot be kept as it is, is
// none.
func (o *raw) fix(w wireFix, at roots) (Fix, bool) {
	f := Fix{Description: cut(w.Description.Text, maxText)}
	size := 0
	for _, c := range w.Changes {
		path, _ := at.path(o, c.Artifact)
		for _, r := range c.Replacements {
			e := Edit{Path: path, Region: region(r.Deleted)}
			if r.Inserted != nil {
				e.Text = r.Inserted.Text
			}
			size += len(e.Text)
			if path == "" || e.Region.StartLine == 0 || size > maxFixText {
				return Fix{}, false
			}
			f.Edits = append(f.Edits, e)
		}
		if len(c.Replacements) == maxInner { // there may have been more
			return Fix{}, false
		}
	}
	return f, len(f.Edits) > 0 && len(w.Changes) < maxInner
}

// cut is valid UTF-8 of at most limit bytes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
