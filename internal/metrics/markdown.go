package metrics

import (
	"fmt"
	"strings"
)

const preamble = `# Metrics

<!-- Made from internal/metrics/definitions.go by ` + "`go test ./internal/metrics -update`" + `; do not edit. -->

` + "`GET /metrics`" + ` answers the operator in Prometheus' format; [` + "`operations.md`" + `](operations.md) says who that is. Beside these there
are the usual ` + "`go_*` and `process_*`" + `. Counters start at 0 with the process. No label names a repository, a pull request or a person.

| Metric | Type | Labels | What |
| --- | --- | --- | --- |
`

// Markdown is the reference of the metrics, as docs/metrics.md has it.
func Markdown() string {
	var b strings.Builder
	b.WriteString(preamble)
	for _, d := range Definitions() {
		labels := make([]string, len(d.Labels))
		for i, label := range d.Labels {
			labels[i] = "`" + label + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Kind, strings.Join(labels, ", "), d.Help)
	}
	return b.String()
}
