package review

import (
	"fmt"
	"strings"
)

// Severity says how much a finding matters. The zero value is SeverityNone,
// which no finding carries; as a threshold it means "never".
type Severity int8

// Severities, least first, so that they compare with < and >=.
const (
	SeverityNone Severity = iota
	Info
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"", "info", "low", "medium", "high", "critical"}

// Severities lists the severities a finding can have, most severe first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// ParseSeverity reads a severity by its name.
func ParseSeverity(name string) (Severity, error) {
	for s, n := range severityNames {
		if n == name && s > 0 {
			return Severity(s), nil
		}
	}
	return SeverityNone, fmt.Errorf("unknown severity %q: use one of %s", name, strings.Join(severityNames[1:], ", "))
}

func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return fmt.Sprintf("severity(%d)", int8(s))
	}
	return severityNames[s]
}

// MarshalText writes the severity's name; SeverityNone is empty.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's name; empty text is SeverityNone.
func (s *Severity) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = SeverityNone
		return nil
	}
	v, err := ParseSeverity(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}
