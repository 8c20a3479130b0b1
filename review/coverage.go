package review

// Coverage says how much of one file one agent examined.
type Coverage struct {
	Agent string `json:"agent"`
	// Path is a changed file, or Whole.
	Path  string `json:"path"`
	Level Level  `json:"level"`
	// Reason says why the file was not examined fully; empty when it was.
	Reason string `json:"reason,omitempty"`
}

// Whole is the path of a receipt for what is no changed file: the state of a
// pull request, or the repository from its root. Only agents that look at such
// give one; it is their proof of work where a change has no files.
const Whole = "."

// Level is how much of a file was examined.
type Level string

// The levels. NotApplicable is a file the agent has nothing to say about by
// design (a Go file for the workflow linter); it is no gap.
const (
	Full          Level = "full"
	Partial       Level = "partial"
	Skipped       Level = "skipped"
	NotApplicable Level = "not_applicable"
)
