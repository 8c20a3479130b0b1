package reviewer

import (
	"regexp"
	"slices"
	"strings"

	"assay/review"
)

// Bounds of what a model may say, in bytes.
const (
	maxClaim       = 400
	maxReplacement = 4000
	// maxFindings bounds the findings of a run, and those taken of an answer.
	maxFindings = 10
)

// dropped counts what a model said that does not count.
type dropped struct {
	NoQuote  int `json:"no_quote,omitempty"`  // it quotes code that does not stand there
	Outside  int `json:"outside,omitempty"`   // it is about a file that it was not shown
	Malform  int `json:"malformed,omitempty"` // it says nothing
	Refuted  int `json:"refuted,omitempty"`
	Known    int `json:"known,omitempty"` // other agents have reported it
	TooMany  int `json:"too_many,omitempty"`
	Unproven int `json:"unproven,omitempty"` // the second look was not sure, so it weighs less
}

func (d dropped) add(e dropped) dropped {
	return dropped{d.NoQuote + e.NoQuote, d.Outside + e.Outside, d.Malform + e.Malform, d.Refuted + e.Refuted, d.Known + e.Known, d.TooMany + e.TooMany, d.Unproven + e.Unproven}
}

// findings are the claims that count, each at its place, the most severe first.
func (j *job) findings(s *sheet, claims []claim) (found []review.Finding, d dropped) {
	var placed []review.Finding
	for _, c := range claims {
		f, why := j.finding(s, c)
		if why != nil {
			*why(&d)++
			continue
		}
		placed = append(placed, f)
	}
	bySeverity(placed)
	for _, f := range placed {
		switch {
		case j.known(f) || slices.ContainsFunc(found, func(g review.Finding) bool { return covers(g, f) }):
			d.Known++
		case len(found) >= maxFindings:
			d.TooMany++
		default:
			found = append(found, f)
		}
	}
	return found, d
}

// finding makes a finding of a claim, or says what it counts as.
func (j *job) finding(s *sheet, c claim) (review.Finding, func(*dropped) *int) {
	var hunks []review.Hunk
	var page *page
	for _, p := range s.unit.parts {
		if c.Path != "" && (p.file.Path == c.Path || j.source.path(p.file.Path) == c.Path) {
			hunks, page = p.hunks, s.pages[p.file.Path]
		}
	}
	if page == nil {
		return review.Finding{}, func(d *dropped) *int { return &d.Outside }
	}
	at, ok := place(page, hunks, c.Quote, c.Line)
	if !ok {
		return review.Finding{}, func(d *dropped) *int { return &d.NoQuote }
	}
	t, known := topicOf(c.Category)
	severity, err := review.ParseSeverity(c.Severity)
	message := j.message(c)
	if !known || err != nil || message == "" {
		return review.Finding{}, func(d *dropped) *int { return &d.Malform }
	}
	severity = min(severity, t.most)
	if c.Confidence == "low" {
		severity = min(severity, review.Low)
	}
	f := review.Finding{
		Agent: Name, Rule: Name + "/" + t.word, Severity: severity, Category: t.category,
		Path: page.file.Path, StartLine: at.from, EndLine: at.to, Message: message, Evidence: at.code,
	}
	if c.Fix != nil && at.exact {
		f.Fix = j.fix(page, at.span, *c.Fix)
	}
	return f, nil
}

// message is what is said of a claim.
func (j *job) message(c claim) string {
	text := sentence(j.plain(c.Claim))
	if text == "" {
		return ""
	}
	if why := sentence(j.plain(c.Why)); why != "" {
		text += " " + why
	}
	if fails := sentence(j.plain(c.Fails)); fails != "" {
		text += " To see it: " + fails
	}
	return text
}

func sentence(text string) string {
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?)`") {
		text += "."
	}
	return text
}

var (
	link    = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	address = regexp.MustCompile(`(?i)\b(?:[a-z][a-z0-9+.-]{1,15}://|www\.|mailto:|data:[a-z]+/)[^\s<>"'` + "`" + `)]*`)
	tag     = regexp.MustCompile(`</?[A-Za-z!][^>\n]{0,300}>`)
	mention = regexp.MustCompile(`(^|[^\w` + "`" + `])@([A-Za-z0-9][A-Za-z0-9/-]*)`)
)

// plain makes a model's words text of one line that does nothing: no secrets,
// links, images, mentions and markup, nothing hidden.
func (j *job) plain(words string) string {
	text := visible(j.source.mask(words))
	text = image.ReplaceAllString(text, "")
	text = link.ReplaceAllString(text, "$1")
	text = address.ReplaceAllString(text, "[address left out]")
	text = tag.ReplaceAllString(text, "")
	text = mention.ReplaceAllString(text, "$1$2")
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxClaim {
		text = strings.ToValidUTF8(text[:maxClaim], "") + "…"
	}
	return text
}

// fix is a replacement that can be offered as it is, or nil.
func (j *job) fix(p *page, at span, replacement string) *review.Fix {
	replacement = strings.TrimSuffix(strings.ReplaceAll(replacement, "\r\n", "\n"), "\n")
	switch {
	case strings.TrimSpace(replacement) == "" || len(replacement) > maxReplacement:
		return nil // a deletion is for people to make
	case visible(replacement) != replacement || j.source.mask(replacement) != replacement || address.MatchString(replacement):
		return nil
	case replacement == p.shown(at) || !p.file.InDiff(at.from, at.to):
		return nil
	}
	return &review.Fix{Replacement: replacement}
}

// known reports whether another agent has reported the same.
func (j *job) known(f review.Finding) bool {
	return slices.ContainsFunc(j.in.Prior, func(p review.Finding) bool { return p.Agent != Name && covers(p, f) })
}

// covers reports whether g has said what f says, as far as that can be told:
// the same lines, in the same respect, and no less severe. Anybody can have a
// minor finding made on a line of theirs; it must not hide a grave one.
func covers(g, f review.Finding) bool {
	return f.Path == g.Path && f.Category == g.Category && g.Severity >= f.Severity &&
		g.StartLine > 0 && f.StartLine <= g.EndLine && g.StartLine <= f.EndLine
}
