package review

import "time"

// Finding is one thing an agent has to say about a change. It is data, never
// markup: whoever shows it escapes it.
type Finding struct {
	// ID is the finding's fingerprint, set by Fingerprint: the same problem in
	// the same code keeps its ID when lines move. 16 hexadecimal digits.
	ID string `json:"id"`
	// Agent is the name of the agent that made the finding.
	Agent string `json:"agent"`
	// Rule is the stable rule ID, "<agent>/<rule>", as "secrets/github-pat".
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Category Category `json:"category"`
	// Path is the file in the head commit, with slashes; empty when the
	// finding is about the pull request as a whole.
	Path string `json:"path,omitempty"`
	// StartLine and EndLine are 1-based lines of the head's text (the right
	// side of the diff), both inclusive. Both are 0 when the finding is about
	// the whole file or the whole pull request.
	StartLine int `json:"start_line,omitempty"`
	EndLine   int `json:"end_line,omitempty"`
	// Message says in one or two plain sentences what is wrong and what to do.
	Message string `json:"message"`
	// Evidence is the code the finding is about, as it stands at the head, with
	// secrets masked by the agent. Fingerprints are made from it.
	Evidence string `json:"evidence,omitempty"`
	// Fix replaces exactly the lines StartLine to EndLine; nil when there is no
	// fix that is safe to apply.
	Fix *Fix `json:"fix,omitempty"`
	// HelpURL leads to what the rule means; may be empty.
	HelpURL string `json:"help_url,omitempty"`
	// Dismissed is set on a finding that somebody said does not count. The
	// verdict is made without it.
	Dismissed *Dismissed `json:"dismissed,omitempty"`
	// Suppressed is set on the findings of Run.Suppressed alone.
	Suppressed *Suppressed `json:"suppressed,omitempty"`
}

// Dismissed says who dismissed a finding, when and why.
type Dismissed struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Suppressed says by whose word the config holds a finding back, why, and until
// which day (as 2027-01-31).
type Suppressed struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
	Until  string `json:"until"`
}

// Fix is a replacement for the lines of its finding.
type Fix struct {
	// Replacement is the new text of the lines, without the final newline.
	// Empty deletes the lines.
	Replacement string `json:"replacement"`
}

// Category groups rules by what they protect.
type Category string

// The categories.
const (
	Security        Category = "security"
	Correctness     Category = "correctness"
	Maintainability Category = "maintainability"
	Process         Category = "process"
)

// Location is "path:line", "path", or "pull request", for messages and logs.
func (f Finding) Location() string {
	switch {
	case f.Path == "":
		return "pull request"
	case f.StartLine == 0:
		return f.Path
	default:
		return f.Path + ":" + itoa(f.StartLine)
	}
}
