package reports

import (
	"fmt"
	"io"
	"strings"

	"assay/review"
)

// format writes a run in one form.
type format struct {
	name  string
	write func(w io.Writer, run review.Run, o Options) error
}

// formats is the one table of formats. A new format is a line here.
func formats() []format {
	return []format{
		{"text", Terminal},
		{"markdown", func(w io.Writer, run review.Run, o Options) error {
			_, err := io.WriteString(w, Markdown(run, o))
			return err
		}},
		{"json", JSON},
		{"sarif", SARIF},
		{"rdjson", RDJSON},
	}
}

// Formats lists the names that Write takes, the default first.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// Write writes a run in the named format. It may make many small writes.
func Write(w io.Writer, name string, run review.Run, o Options) error {
	for _, f := range formats() {
		if f.name != name {
			continue
		}
		if err := f.write(w, run, o); err != nil {
			return fmt.Errorf("write report as %s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("unknown format %q: use one of %s", name, strings.Join(Formats(), ", "))
}
