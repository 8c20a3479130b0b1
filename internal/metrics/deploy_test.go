package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestDashboard holds deploy/grafana/dashboard.json to the metrics that exist.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	read(t, "../../deploy/grafana/dashboard.json", json.Unmarshal, &dashboard)
	shown := make(map[string]bool)
	ids := make(map[int]bool)
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d, %q: its ID is taken, or it shows nothing", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			labels := checkExpr(t, p.Title, target.Expr, shown)
			for _, m := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(labels, m[1]) {
					t.Errorf("%s: the legend %q names a label that the result lacks", p.Title, target.LegendFormat)
				}
			}
		}
	}
	for _, d := range Definitions() {
		if !shown[d.Name] {
			t.Errorf("the dashboard does not show %s", d.Name)
		}
	}
}

// TestAlerts holds deploy/prometheus/alerts.yml to the metrics that exist.
func TestAlerts(t *testing.T) {
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	read(t, "../../deploy/prometheus/alerts.yml", func(text []byte, v any) error {
		return yaml.UnmarshalWithOptions(text, v, yaml.Strict())
	}, &rules)
	seen := make(map[string]bool)
	used := make(map[string]bool)
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || seen[r.Alert] || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
				t.Errorf("alert %q is named twice, or lacks a severity, a summary or what to do", r.Alert)
			}
			seen[r.Alert] = true
			checkExpr(t, r.Alert, r.Expr, used)
		}
	}
	for _, name := range []string{"assay_queue_oldest_age_seconds", "assay_breaker_state", "assay_dead_letters", "assay_deliveries_total"} {
		if !used[name] {
			t.Errorf("no alert looks at %s", name)
		}
	}
}

func read(t *testing.T, path string, decode func([]byte, any) error, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// The parts of PromQL that these files use.
var (
	selector = regexp.MustCompile(`\b((?:assay|go|process)_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)
	grouping = regexp.MustCompile(`\bby \(([^)]*)\)`)
	legend   = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

// checkExpr holds an expression to the table: its metrics are there, with the
// labels that it asks for. It notes the metrics in used and returns the labels
// that the expression groups by.
func checkExpr(t *testing.T, where, expr string, used map[string]bool) (by []string) {
	t.Helper()
	if strings.Count(expr, "(") != strings.Count(expr, ")") {
		t.Errorf("%s: unbalanced: %s", where, expr)
	}
	known := []string{}
	found := selector.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s: no metric in %s", where, expr)
	}
	for _, m := range found {
		if !strings.HasPrefix(m[1], "assay_") {
			continue
		}
		d, ok := definitionOf(m[1])
		if !ok {
			t.Errorf("%s: there is no metric %s", where, m[1])
			continue
		}
		used[d.Name] = true
		if d.Kind == Counter && !strings.Contains(expr, "rate("+m[1]) && !strings.Contains(expr, "increase("+m[1]) {
			t.Errorf("%s: %s is a counter and wants a rate", where, m[1])
		}
		labels := d.Labels
		if strings.HasSuffix(m[1], "_bucket") {
			labels = append(slices.Clone(labels), "le")
		}
		known = append(known, labels...)
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("%s: %s has no label %s", where, d.Name, l[1])
			}
		}
		checkResults(t, where, d, m[2])
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(m[1], ",") {
			label = strings.TrimSpace(label)
			if by = append(by, label); !slices.Contains(known, label) {
				t.Errorf("%s: grouped by %s, which no metric there has", where, label)
			}
		}
	}
	return by
}

// checkResults holds the results of deliveries that are asked for to those that
// there are.
func checkResults(t *testing.T, where string, d Definition, matchers string) {
	t.Helper()
	if d.Name != deliveries.Name {
		return
	}
	for _, l := range matcher.FindAllStringSubmatch(matchers, -1) {
		if !slices.Contains(results, l[2]) {
			t.Errorf("%s: a delivery never has the result %q", where, l[2])
		}
	}
}

func definitionOf(name string) (Definition, bool) {
	for _, d := range Definitions() {
		if name == d.Name && d.Kind != Histogram {
			return d, true
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if d.Kind == Histogram && name == d.Name+suffix {
				return d, true
			}
		}
	}
	return Definition{}, false
}
