package review

// Coverage says how much of one file one agent examined.
type Coverage struct {
	Agent string `json:"agent"`
	Path  string `json:"path"`
	Level Level  `json:"level"`
	// Reason says why the file was not examined fully; empty when it was.
	Reason string `json:"reason,omitempty"`
}

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
