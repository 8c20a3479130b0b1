package strategy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func TestSuppress(t *testing.T) {
	at := Origin{Repository, "assay.yml", 3, 1}
	list := []Suppression{
		{Fingerprint: "aaaaaaaaaaaaaaaa", Reason: "known", Owner: "@a", Until: "2027-01-31", Origin: at},
		{Rule: "hygiene/large-file", Paths: []string{"testdata/**", "*.bin"}, Reason: "data", Owner: "@b", Until: "2027-01-31", Origin: at},
		{Fingerprint: "bbbbbbbbbbbbbbbb", Reason: "old", Owner: "@c", Until: "2027-01-30", Origin: at},
		{Rule: "secrets/private-key", Paths: []string{"**"}, Reason: "old", Owner: "@d", Until: "2026-12-31", Origin: Origin{Layer: Organisation, Path: "org"}},
	}
	findings := []review.Finding{
		{ID: "aaaaaaaaaaaaaaaa", Rule: "x/y"},
		{ID: "1", Rule: "hygiene/large-file", Path: "testdata/a/b"},
		{ID: "2", Rule: "hygiene/large-file", Path: "src/a"},
		{ID: "3", Rule: "hygiene/large-file"},
		{ID: "4", Rule: "hygiene/large-files", Path: "testdata/a"},
		{ID: "bbbbbbbbbbbbbbbb", Rule: "x/y"},
		{ID: "5", Rule: "secrets/private-key", Path: "a"},
	}
	before := slices.Clone(findings)
	// The last moment of the last day, told in a zone where it is another day.
	day := time.Date(2027, 2, 1, 8, 59, 59, 0, time.FixedZone("", 9*3600))
	open, suppressed := Suppress(findings, list, day)

	var ids []string
	for _, f := range open {
		ids = append(ids, f.ID+f.Message)
	}
	want := []string{
		"2", "3", "4", "bbbbbbbbbbbbbbbb", "5",
		"The suppression of bbbbbbbbbbbbbbbb by @c expired after 2027-01-30. Mend what it held back, or renew it with its reason.",
		"The suppression of secrets/private-key in ** by @d expired after 2026-12-31. Mend what it held back, or renew it with its reason.",
	}
	if d := cmp.Diff(want, ids); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Suppressed{{findings[0], list[0]}, {findings[1], list[1]}}, suppressed); d != "" {
		t.Error(d)
	}
	expired := open[5]
	if expired.Rule != "config/expired-suppression" || expired.Severity != review.Low || expired.Path != "assay.yml" || open[6].Path != "" {
		t.Errorf("%+v", expired)
	}
	if d := cmp.Diff(before, findings); d != "" {
		t.Errorf("the findings given were changed: %s", d)
	}
	// A day later the first two have expired too.
	if open, suppressed := Suppress(findings, list, day.Add(time.Second)); len(open) != len(findings)+4 || suppressed != nil {
		t.Errorf("%d open, %d suppressed", len(open), len(suppressed))
	}
}

func TestScheduleNext(t *testing.T) {
	after := time.Date(2026, 11, 23, 18, 30, 0, 0, time.FixedZone("", 3600)) // a Monday, 17:30 UTC
	for spec, want := range map[string]string{
		"hourly": "2026-11-23T18:00:00Z", "daily": "2026-11-24T00:00:00Z", "weekly": "2026-11-29T00:00:00Z", "monthly": "2026-12-01T00:00:00Z",
		"30 6 * * mon-fri": "2026-11-24T06:30:00Z", "0 18 * * *": "2026-11-23T18:00:00Z", "nonsense": "0001-01-01T00:00:00Z",
	} {
		if got := (Schedule{Spec: spec}).Next(after).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
}

func TestCheckSchedule(t *testing.T) {
	for spec, good := range map[string]bool{
		"hourly": true, "0 * * * *": true, "0 0 29 2 *": true, "59 23 31 12 *": true,
		"* * * * *": false, "0,30 * * * *": false, "@every 1h": false, "@daily": false, "CRON_TZ=UTC 0 0 * * *": false, "0 0 * *": false, "0 0 0 * * *": false,
		"0 0 30 2 *": false, "": false, "yearly": false, "0,59 3 * * *": false,
	} {
		if err := checkSchedule(spec); (err == nil) != good {
			t.Errorf("%q: %v", spec, err)
		}
	}
}
