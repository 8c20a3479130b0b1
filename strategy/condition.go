package strategy

import (
	"assay/internal/expr"
)

// Condition is a condition of the config, compiled. It is safe for concurrent
// use.
type Condition struct {
	// Text is the condition as it is written.
	Text string
	// Origin is where it stands.
	Origin  Origin
	program *expr.Program
}

// Files reports whether the condition asks for the changed files.
func (c *Condition) Files() bool { return c != nil && c.program.Files() }

// Equal reports whether both are the same condition at the same place.
func (c *Condition) Equal(other *Condition) bool {
	if c == nil || other == nil {
		return c == other
	}
	return c.Text == other.Text && c.Origin == other.Origin
}
