package osv

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

// span is a range of a record in one line: "introduced 0 fixed 1.2.3".
func span(ecosystem, text string) record {
	words := strings.Fields(text)
	var events []event
	for i := 0; i+1 < len(words); i += 2 {
		e := event{}
		switch words[i] {
		case "introduced":
			e.Introduced = words[i+1]
		case "fixed":
			e.Fixed = words[i+1]
		case "last":
			e.LastAffected = words[i+1]
		}
		events = append(events, e)
	}
	r := record{ID: "X-1", Affected: []affected{{Ranges: []versionSpan{{Type: "ECOSYSTEM", Events: events}}}}}
	r.Affected[0].Package.Ecosystem, r.Affected[0].Package.Name = ecosystem, "p"
	return r
}

// TestAffects: the order of versions is each ecosystem's own.
func TestAffects(t *testing.T) {
	tests := []struct {
		ecosystem, events string
		in, out           []string
	}{
		{"npm", "introduced 1.0.0 fixed 1.10.0", []string{"1.0.0", "1.9.9", "1.10.0-rc.1"}, []string{"0.9.0", "1.10.0", "1.0.0-beta", "2.0.0", "nonsense", ""}},
		{"npm", "introduced 0 fixed 1.2.3 introduced 2.0.0 fixed 2.0.1", []string{"0.0.1", "1.2.2", "2.0.0"}, []string{"1.2.3", "1.9.0", "2.0.1"}},
		{"npm", "fixed 2.0.1 introduced 2.0.0 fixed 1.2.3 introduced 0", []string{"1.2.2", "2.0.0"}, []string{"1.2.3", "2.0.1"}},
		{"npm", "introduced 1.0.0 last 1.5.0", []string{"1.5.0"}, []string{"1.5.1"}},
		{"npm", "introduced 0", []string{"0.0.0", "99.0.0", "1.0.0-alpha"}, nil},
		{"Go", "introduced 0 fixed 1.3.2", []string{"v1.3.1", "1.3.1", "v0.0.0-20200101000000-abcdefabcdef", "v1.3.2-rc1"}, []string{"v1.3.2", "v2.0.0+incompatible"}},
		{"Go", "introduced 2.0.0+incompatible fixed 3.0.0", []string{"v2.5.0+incompatible"}, []string{"v1.0.0", "v3.0.0"}},
		{"PyPI", "introduced 1.0 fixed 2.0", []string{"1.0", "1.0.post1", "2.0rc1", "2.0.dev1", "1.99"}, []string{"2.0", "2.0.0", "0.9", "1.0a1", "2.0.post1"}},
		{"PyPI", "introduced 0 fixed 1!2.0", []string{"1!1.0", "2024.1"}, []string{"1!2.0", "2!0.1"}},
		{"Maven", "introduced 2.0 fixed 2.9.10", []string{"2.9.9", "2.9.10-rc1", "2.9.10-SNAPSHOT", "2.0.0"}, []string{"2.9.10", "2.9.10.Final", "2.10.0", "1.9"}},
		{"RubyGems", "introduced 0 fixed 7.0.4.1", []string{"7.0.4", "7.0.4.1.rc1", "6.1"}, []string{"7.0.4.1", "7.0.5", "7.1.0"}},
		{"crates.io", "introduced 0.0.0-0 fixed 1.8.4", []string{"0.1.0", "1.8.3"}, []string{"1.8.4", "1.10.0"}},
		{"NuGet", "introduced 10.0.0 fixed 13.0.1", []string{"10.0.0", "12.0.3", "13.0.1-beta1"}, []string{"13.0.1", "9.0.1", "13.0.1.0"}},
		{"Packagist", "introduced 0 fixed 5.4.20", []string{"v5.4.19", "5.4.0"}, []string{"v5.4.20", "6.0.0"}},
		{"npm", "introduced nonsense fixed 2.0.0", nil, []string{"1.0.0"}},
	}
	for _, tt := range tests {
		r := span(tt.ecosystem, tt.events)
		for _, v := range tt.in {
			if !r.affects(review.Package{Ecosystem: tt.ecosystem, Name: "p", Version: v}) {
				t.Errorf("%s %s: %s is not affected", tt.ecosystem, tt.events, v)
			}
		}
		for _, v := range tt.out {
			if r.affects(review.Package{Ecosystem: tt.ecosystem, Name: "p", Version: v}) {
				t.Errorf("%s %s: %s is affected", tt.ecosystem, tt.events, v)
			}
		}
	}
}

func TestAffectsListed(t *testing.T) {
	r := record{Affected: []affected{{Versions: []string{"1.0", "2.0.0"}, Ranges: []versionSpan{{Type: "GIT", Events: []event{{Introduced: "0"}}}}}}}
	r.Affected[0].Package.Ecosystem, r.Affected[0].Package.Name = "PyPI", "My_Package"
	for version, want := range map[string]bool{"1.0": true, "1.0.0": true, "2.0": true, "3.0": false, "": false} {
		if got := r.affects(review.Package{Ecosystem: "PyPI", Name: "my-package", Version: version}); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
	if r.affects(review.Package{Ecosystem: "npm", Name: "my-package", Version: "1.0"}) {
		t.Error("another ecosystem's package is affected")
	}
}

func TestSeverity(t *testing.T) {
	tests := []struct {
		word  any
		score string
		want  review.Severity
	}{
		{"MODERATE", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", review.Medium},
		{nil, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", review.Critical},
		{nil, "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", review.Medium},
		{nil, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", review.High},
		{nil, "AV:N/AC:L/Au:N/C:P/I:P/A:P", review.High},
		{7, "nonsense", review.SeverityNone},
		{nil, "CVSS:3.1/" + strings.Repeat("A", 1000), review.SeverityNone},
	}
	for _, tt := range tests {
		r := record{DatabaseSpecific: rated{tt.word}}
		if got := r.severity([]score{{Score: tt.score}}); got != tt.want {
			t.Errorf("%v %s: %v, want %v", tt.word, tt.score, got, tt.want)
		}
	}
}

// api is a fake of OSV's API over records.
type api struct {
	t       *testing.T
	records map[string]record
	// pageSize is how many advisories a page of one version's answer has.
	pageSize int
	batches  []int
	reads    atomic.Int32
	mu       sync.Mutex
	// asked are the packages as they came.
	asked []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, "/v1/vulns/"); ok {
		a.reads.Add(1)
		rec, ok := a.records[id]
		if !ok || rec.Summary == "gone" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(rec)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/querybatch" || r.Header.Get("Content-Type") != "application/json" {
		a.t.Errorf("asked for %s %s", r.Method, r.URL.Path)
	}
	var body struct{ Queries []query }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		a.t.Error(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batches = append(a.batches, len(body.Queries))
	type result struct {
		Vulns []map[string]string `json:"vulns,omitempty"`
		Next  string              `json:"next_page_token,omitempty"`
	}
	var results []result
	for _, q := range body.Queries {
		a.asked = append(a.asked, fmt.Sprintf("%s %s %s", q.Package.Ecosystem, q.Package.Name, q.Version))
		var ids []string
		for id, rec := range a.records {
			if rec.affects(review.Package{Ecosystem: q.Package.Ecosystem, Name: q.Package.Name, Version: q.Version}) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		var at int
		if q.PageToken != "" {
			fmt.Sscan(q.PageToken, &at)
		}
		var res result
		for _, id := range ids[at:min(at+a.pageSize, len(ids))] {
			res.Vulns = append(res.Vulns, map[string]string{"id": id, "modified": "2024-01-01T00:00:00Z"})
		}
		if at+a.pageSize < len(ids) {
			res.Next = fmt.Sprint(at + a.pageSize)
		}
		results = append(results, res)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

func serve(t *testing.T, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := NewClient(server.Client(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClient(t *testing.T) {
	records := make(map[string]record)
	for i := range 5 {
		r := span("npm", "introduced 0 fixed 1.2.3")
		r.ID, r.Summary = fmt.Sprintf("GHSA-%d", i), "S"
		records[r.ID] = r
	}
	withdrawn := span("npm", "introduced 0")
	withdrawn.ID, withdrawn.Withdrawn = "GHSA-w", "2024-01-01T00:00:00Z"
	gone := span("npm", "introduced 0")
	gone.ID, gone.Summary = "GHSA-x", "gone"
	golang := span("Go", "introduced 0 fixed 1.5.0")
	golang.ID = "MAL-2"
	for _, r := range []record{withdrawn, gone, golang} {
		records[r.ID] = r
	}
	fake := &api{t: t, records: records, pageSize: 2}
	c := serve(t, fake)
	var packages []review.Package
	for i := range 1500 {
		packages = append(packages, review.Package{Ecosystem: "npm", Name: fmt.Sprintf("clean-%d", i), Version: "1.0.0"})
	}
	vulnerable := review.Package{Ecosystem: "npm", Name: "p", Version: "1.0.0"}
	module := review.Package{Ecosystem: "Go", Name: "p", Version: "v1.4.0"}
	packages = append(packages, vulnerable, module)

	for range 2 { // the second time nothing has to be read again
		found, err := c.Advisories(t.Context(), packages)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range found {
			got = append(got, fmt.Sprintf("%s %s %v %v %s", a.ID, a.Package.Name, a.Fixed, a.Malicious, a.URL))
		}
		want := []string{"MAL-2 p [v1.5.0] true https://osv.dev/vulnerability/MAL-2"}
		for i := range 5 {
			want = append(want, fmt.Sprintf("GHSA-%d p [1.2.3] false https://osv.dev/vulnerability/GHSA-%d", i, i))
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	}
	if d := cmp.Diff([]int{1000, 502, 1, 1, 1}, fake.batches[:5]); d != "" {
		t.Errorf("batches: %s", d)
	}
	if n := fake.reads.Load(); n != 8+1 { // the one that is gone is asked for again
		t.Errorf("%d advisories were read", n)
	}
	if !slices.Contains(fake.asked, "Go p 1.4.0") {
		t.Error("a Go version was asked for with its v")
	}
}

func TestClientTroubles(t *testing.T) {
	p := []review.Package{{Ecosystem: "npm", Name: "p", Version: "1.0.0"}}
	hit := `{"results":[{"vulns":[{"id":"GHSA-1","modified":"x"}]}]}`
	answer := func(batch, vuln string, status int, header ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := batch
			if r.Method == http.MethodGet {
				body = vuln
			}
			if len(header) > 0 {
				w.Header().Set("Retry-After", header[0])
			}
			if batch == hit && r.Method == http.MethodPost {
				_, _ = w.Write([]byte(body))
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	huge := `{"results":[{"vulns":[` + strings.Repeat(" ", maxAnswer) + `]}]}`
	tests := []struct {
		name    string
		handler http.Handler
		kind    fault.Kind
		named   bool
		text    string
	}{
		{"outage", answer("", "", 503), fault.Transient, true, "503"},
		{"bad request", answer("", "", 400), fault.Invalid, false, "400"},
		{"rate limit", answer("", "", 429, "120"), fault.RateLimited, true, "429"},
		{"garbage", answer("<html>", "", 200), fault.Transient, true, "not what osv's API describes"},
		{"fewer results", answer(`{"results":[]}`, "", 200), fault.Transient, true, "0 versions of 1"},
		{"a batch too large", answer(huge, "", 200), fault.Transient, true, "larger than"},
		{"endless pages", answer(`{"results":[{"next_page_token":"x"}]}`, "", 200), fault.Transient, true, "pages"},
		{"a malformed ID", answer(`{"results":[{"vulns":[{"id":"../../x"}]}]}`, "", 200), fault.Transient, true, "malformed"},
		{"advisory: outage", answer(hit, "", 500), fault.Transient, true, "GHSA-1"},
		{"advisory: 5 MB", answer(hit, `{"id":"GHSA-1","summary":"`+strings.Repeat("a", 5<<20)+`"}`, 200), fault.Transient, true, "larger than"},
		{"advisory: another", answer(hit, `{"id":"GHSA-2"}`, 200), fault.Transient, true, "another advisory"},
		{"advisory: wrong types", answer(hit, `{"id":7}`, 200), fault.Transient, true, "not what"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, tt.handler)
			c.now = func() time.Time { return time.Unix(1000, 0) }
			found, err := c.Advisories(t.Context(), p)
			if err == nil || len(found) > 0 || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("found %v, error %v of kind %v", found, err, fault.KindOf(err))
			}
			if named := fault.DependencyOf(err) == Dependency; named != tt.named {
				t.Errorf("dependency %q", fault.DependencyOf(err))
			}
			if tt.kind == fault.RateLimited && !fault.RetryAt(err).Equal(time.Unix(1120, 0)) {
				t.Errorf("retry at %v", fault.RetryAt(err))
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		c, _ := NewClient(server.Client(), server.URL)
		server.Close()
		if _, err := c.Advisories(t.Context(), p); fault.KindOf(err) != fault.Transient || fault.DependencyOf(err) != Dependency {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the caller leaves", func(t *testing.T) {
		c := serve(t, answer(`{}`, "", 200))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Advisories(ctx, p); !errors.Is(err, context.Canceled) || fault.DependencyOf(err) != "" {
			t.Errorf("error %v", err)
		}
	})
	if _, err := NewClient(nil, ""); err == nil {
		t.Error("no client is a client")
	}
}

// copied writes a copy of the database: npm as a zip, PyPI as files.
func copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "npm"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "npm", "all.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	put := func(name string, r any) {
		w, err := z.Create(name)
		if err == nil {
			err = json.NewEncoder(w).Encode(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r := span("npm", "introduced 0 fixed 1.2.3")
	other := span("PyPI", "introduced 0").Affected[0]
	r.ID, r.Affected = "GHSA-1", append(r.Affected, other)
	put("GHSA-1.json", r)
	r.ID, r.Withdrawn = "GHSA-w", "2024-01-01T00:00:00Z"
	put("GHSA-w.json", r)
	put("README.txt", "no advisory")
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	python := span("PyPI", "introduced 0")
	python.ID, python.Affected[0].Package.Name = "PYSEC-1", "My_Package"
	text, _ := json.Marshal(python)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "PyPI"), 0o755), os.WriteFile(filepath.Join(dir, "PyPI", "PYSEC-1.json"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOffline(t *testing.T) {
	o, err := OpenOffline(copied(t))
	if err != nil {
		t.Fatal(err)
	}
	found, err := o.Advisories(t.Context(), []review.Package{
		{Ecosystem: "npm", Name: "p", Version: "1.0.0"}, {Ecosystem: "npm", Name: "p", Version: "1.2.3"},
		{Ecosystem: "npm", Name: "q", Version: "1.0.0"}, {Ecosystem: "PyPI", Name: "my-package", Version: "1.0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range found {
		got = append(got, a.ID+" "+a.Package.Name+" "+a.Package.Version+" "+strings.Join(a.Fixed, ","))
	}
	if d := cmp.Diff([]string{"GHSA-1 p 1.0.0 1.2.3", "PYSEC-1 my-package 1.0 "}, got); d != "" {
		t.Error(d)
	}
	if _, err := o.Advisories(t.Context(), []review.Package{{Ecosystem: "Go", Name: "p", Version: "v1.0.0"}}); err == nil {
		t.Error("an ecosystem that the copy lacks is answered for")
	}
}

func TestOfflineTroubles(t *testing.T) {
	if _, err := OpenOffline(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent directory was opened")
	}
	tests := map[string]string{"npm.zip": "no zip", "npm/x.json": "{", "npm/y.json": `{"id":"` + strings.Repeat("a", maxRecord) + `"}`}
	for name, text := range tests {
		dir := t.TempDir()
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		o, err := OpenOffline(dir)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := o.Advisories(t.Context(), []review.Package{{Ecosystem: "npm", Name: "p", Version: "1"}}); err == nil {
			t.Errorf("%s: %v and no error", name, found)
		}
	}
}

// FuzzAffects: records and versions are strangers' both.
func FuzzAffects(f *testing.F) {
	text, _ := json.Marshal(span("PyPI", "introduced 0 fixed 1.2.3"))
	for _, ecosystem := range []string{"Go", "npm", "PyPI", "crates.io", "Maven", "RubyGems", "NuGet", "Packagist", "other"} {
		f.Add(ecosystem, "1.0.0-rc.1+b", text)
	}
	f.Fuzz(func(t *testing.T, ecosystem, version string, text []byte) {
		var r record
		if json.Unmarshal(text, &r) != nil {
			return
		}
		for i := range r.Affected {
			r.Affected[i].Package.Ecosystem, r.Affected[i].Package.Name = ecosystem, "p"
		}
		p := review.Package{Ecosystem: ecosystem, Name: "p", Version: version}
		r.affects(p)
		for _, fixed := range r.advisory(p).Fixed {
			if parse(ecosystem, fixed) == nil {
				t.Fatalf("%q is no version of %s", fixed, ecosystem)
			}
		}
	})
}
