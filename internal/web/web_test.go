package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"assay/internal/fault"
	"assay/review"
)

// get asks the pages over runs for path.
func get(t *testing.T, runs Runs, path string) *httptest.ResponseRecorder {
	t.Helper()
	p, err := New(runs, Config{PublicURL: "https://assay.example/", Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	p.Register(e)
	e.GET("/", p.Index)
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec
}

func parse(t *testing.T, rec *httptest.ResponseRecorder) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(rec.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestRunPageOfEachState(t *testing.T) {
	want := map[string][]string{
		"findings": {
			"Failed", "Verdict: changes requested", "1 critical finding, and the gate fails on high.", "To look at first", "Mistakes in the config", ".github/assay.yml:7", "6 of 6 finished",
			"1 critical 2 high 2 medium 1 low 1 info", "secrets/github-pat", "Fix: replace lines 8 to 9 with", "Fix: delete lines 4 to 6", "attempt 2", "1m 52s", "2 of 14 files not fully examined",
		},
		"degraded":   {"Incomplete", "Not reviewed", "answered 503 three times", "unavailable", "a required agent gave no result"},
		"clean":      {"Passed", "Verdict: no objections", "No findings.", "every file examined"},
		"running":    {"Reviewing: 2 of 4 agents done", "running", "waiting"},
		"queued":     {"Queued"},
		"skipped":    {"Skipped: the pull request is a draft"},
		"superseded": {"Superseded: a newer push, 4d5e6f7"},
		"cancelled":  {"Cancelled: the pull request was closed"},
		"dead":       {"Not reviewed: GitHub answered 500 eight times"},
	}
	runs := sampleRuns()
	for id, run := range runs {
		t.Run(id, func(t *testing.T) {
			rec := get(t, shelf{runs: runs}, "/runs/"+id)
			if rec.Code != http.StatusOK {
				t.Fatalf("status %d: %s", rec.Code, rec.Body)
			}
			text := words(parse(t, rec))
			for _, w := range want[id] {
				if !strings.Contains(text, w) {
					t.Errorf("the page does not say %q: %s", w, text)
				}
			}
			if refreshes := strings.Contains(rec.Body.String(), `http-equiv="refresh"`); refreshes == run.Status.Final() {
				t.Errorf("status %s, but refresh is %v", run.Status, refreshes)
			}
			checkStructure(t, parse(t, rec))
		})
	}
}

// checkStructure holds a page to what the policy allows and what links need.
func checkStructure(t *testing.T, root *html.Node) {
	t.Helper()
	ids := make(map[string]bool)
	var anchors []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "style", "iframe", "img", "object", "form", "base", "embed"}, n.Data) {
			t.Errorf("the page has a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s> has the attribute %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("two elements have the id %q", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				anchors = append(anchors, a.Val[1:])
			case a.Key == "href" && !ours.MatchString(a.Val):
				t.Errorf("<%s> leads to %q", n.Data, a.Val)
			}
		}
	}
	for _, a := range anchors {
		if !ids[a] {
			t.Errorf("a link leads to #%s, which is not on the page", a)
		}
	}
}

var ours = regexp.MustCompile(`^(https://github\.com/octo/shop(/|$)|/assets/|/runs/|https://docs\.github\.com/code-security$)`)

// xss is what strangers may try.
var xss = []string{
	`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `' onmouseover='alert(1)`, `" onmouseover="alert(1)`, `<img src=x onerror=alert(1)>`,
	`</title><script>alert(1)</script>`, `</td></tr></table><form action=//evil.example>`, `<svg/onload=alert(1)>`, `javascript:alert(1)`, `data:text/html,<script>alert(1)</script>`,
	`<style>*{display:none}</style>`, `<base href=//evil.example>`, `<meta http-equiv=refresh content=0;url=//evil.example>`, `<!--`, `-->`, `<![CDATA[`, `]]>`, `&lt;script&gt;`,
	"`<script>alert(1)</script>`", "\x00<script>", "\u202E\u2066gpj.exe", "a\u200Bb", "bad \xff utf8", "../../..", `//evil.example`, "https://evil.example", "{{7*7}}", "${7*7}", "\u2028", strings.Repeat("A", 20000), "", " ",
}

func TestStrangersTextIsInert(t *testing.T) {
	for _, bad := range xss {
		run := sampleRuns()["findings"]
		run.Pull.Title, run.Pull.HeadRef, run.Pull.Author.Login = bad, bad, bad
		run.Event, run.Pipeline, run.Outcome.Reason, run.Reason, run.Truncated = bad, bad, bad, bad, bad
		run.Agents = []review.AgentRun{{Name: bad, Status: review.AgentDone}, {Name: bad, Status: review.AgentUnavailable, Reason: bad}}
		run.Problems = []review.Problem{{Path: bad, Line: 1, Message: bad}}
		run.Coverage = []review.Coverage{{Agent: bad, Path: bad, Level: review.Partial, Reason: bad}}
		run.Findings = []review.Finding{
			{ID: bad, Rule: bad, Severity: review.High, Path: bad, StartLine: 1, EndLine: 1, Message: bad, Evidence: bad, Fix: &review.Fix{Replacement: bad}, HelpURL: "x" + bad},
			{ID: bad, Rule: bad, Severity: review.Low, Path: bad, Message: bad, Evidence: bad + "\n" + bad},
		}
		for _, path := range []string{"/runs/findings", "/"} {
			rec := get(t, shelf{runs: map[string]review.Run{"findings": run}}, path)
			if rec.Code != http.StatusOK {
				t.Fatalf("%.40q: status %d", bad, rec.Code)
			}
			root := parse(t, rec)
			checkStructure(t, root)
			if strings.ContainsAny(rec.Body.String(), "\x00\u202E\u2066\u200B\u2028\uFFFE") {
				t.Errorf("%.40q: a hidden character reaches the page", bad)
			}
			for n := range root.Descendants() {
				if attr(n, "http-equiv") != "" {
					t.Errorf("%.40q: the page refreshes", bad)
				}
				if n.Type == html.CommentNode {
					t.Errorf("%.40q: the page has a comment %q", bad, n.Data)
				}
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	runs := shelf{runs: sampleRuns()}
	for path, status := range map[string]int{
		"/runs/clean": 200, "/runs/clean.json": 200, "/runs/clean/sarif": 200, "/": 200, "/runs/nothing": 404, "/runs/nothing.json": 404, "/runs/nothing/sarif": 404, "/assets/nothing.css": 404,
	} {
		rec := get(t, runs, path)
		if rec.Code != status {
			t.Errorf("%s: status %d, want %d", path, rec.Code, status)
		}
		want := map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "private, no-store",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		}
		for name, value := range want {
			if got := rec.Header().Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
	}
}

func TestTwins(t *testing.T) {
	runs := shelf{runs: sampleRuns()}
	rec := get(t, runs, "/runs/findings.json")
	var report struct {
		Verdict  string
		URL      string
		Findings []struct {
			ID string
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Verdict != "request_changes" || len(report.Findings) != 7 || report.URL != "https://assay.example/runs/findings" {
		t.Errorf("the JSON twin says %+v", report)
	}
	page := get(t, runs, "/runs/findings").Body.String()
	for _, f := range report.Findings {
		if !strings.Contains(page, `id="f-`+f.ID+`"`) {
			t.Errorf("the page has no #f-%s", f.ID)
		}
	}
	rec = get(t, runs, "/runs/findings/sarif")
	if got := rec.Header().Get("Content-Disposition"); got != `attachment; filename="assay-findings.sarif"` {
		t.Errorf("the SARIF twin is saved as %q", got)
	}
	if !json.Valid(rec.Body.Bytes()) || !strings.Contains(rec.Body.String(), `"version": "2.1.0"`) {
		t.Error("the SARIF twin is not SARIF")
	}
}

// everyRun has a run by every name, to see which names are asked for.
type everyRun struct{ shelf }

func (everyRun) Run(context.Context, string) (review.Run, error) {
	return review.Run{Status: review.StatusQueued}, nil
}

func TestOddNamesAreNotLookedUp(t *testing.T) {
	for _, id := range []string{"a%20b", "..%2f..", strings.Repeat("x", 65), "%00", "%3Cscript%3E", "a.b"} {
		for _, path := range []string{"/runs/" + id, "/runs/" + id + ".json", "/runs/" + id + "/sarif"} {
			if rec := get(t, everyRun{}, path); rec.Code != http.StatusNotFound {
				t.Errorf("%s: status %d", path, rec.Code)
			}
		}
	}
}

func TestNoSuchRun(t *testing.T) {
	for _, id := range []string{"nothing", "a%2Fb", "..%2f..", strings.Repeat("x", 65), "%00", "%3Cscript%3E"} {
		rec := get(t, shelf{runs: sampleRuns()}, "/runs/"+id)
		if rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "No such run") {
			t.Errorf("%s: %d %s", id, rec.Code, rec.Body)
		}
	}
}

// What is not known to be gone is the server's to answer, never 404.
func TestOtherErrorsAreTheServers(t *testing.T) {
	cause := fault.New(fault.Transient, errors.New("database is locked"))
	p, err := New(shelf{err: cause}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder())
	c.SetParamNames("id")
	c.SetParamValues("abc")
	for name, handler := range map[string]echo.HandlerFunc{"page": p.RunPage, "json": p.RunJSON, "sarif": p.RunSARIF, "index": p.Index} {
		if err := handler(c); !errors.Is(err, cause) {
			t.Errorf("%s: error %v, want the cause", name, err)
		}
	}
}

func TestAssets(t *testing.T) {
	runs := shelf{runs: sampleRuns()}
	found := 0
	for n := range parse(t, get(t, runs, "/runs/clean")).Descendants() {
		if n.Data != "link" {
			continue
		}
		found++
		rec := get(t, runs, attr(n, "href"))
		if rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || rec.Body.Len() == 0 {
			t.Errorf("%s: %d %v", attr(n, "href"), rec.Code, rec.Header())
		}
		if !regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{12}\.(css|svg)$`).MatchString(attr(n, "href")) {
			t.Errorf("%s has no hash of its content", attr(n, "href"))
		}
		if ct := rec.Header().Get("Content-Type"); ct != "text/css; charset=utf-8" && ct != "image/svg+xml" {
			t.Errorf("%s is served as %s", attr(n, "href"), ct)
		}
	}
	if found != 2 {
		t.Errorf("%d linked assets, want 2", found)
	}
}

func TestManyFindings(t *testing.T) {
	run := sampleRuns()["findings"]
	run.Findings = nil
	for range 5000 {
		run.Findings = append(run.Findings, review.Finding{ID: "00ff", Rule: "a/b", Severity: review.Low, Path: "a.go", StartLine: 1, EndLine: 1, Message: "m"})
	}
	rec := get(t, shelf{runs: map[string]review.Run{"findings": run}}, "/runs/findings")
	checkStructure(t, parse(t, rec))
	if !strings.Contains(words(parse(t, rec)), "4700 more findings are in the JSON report") {
		t.Error("the page does not say what it leaves out")
	}
}

// A page and all it loads stay small.
func TestPageBudget(t *testing.T) {
	const budget = 30 << 10 // compressed
	runs := shelf{runs: sampleRuns()}
	page := get(t, runs, "/runs/findings")
	var b bytes.Buffer
	for _, body := range [][]byte{page.Body.Bytes(), get(t, runs, linked(t, page)).Body.Bytes()} {
		w := gzip.NewWriter(&b)
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if b.Len() > budget {
		t.Errorf("page and style are %d bytes, budget %d", b.Len(), budget)
	}
	t.Logf("page and style: %d bytes compressed", b.Len())
}

func linked(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	for n := range parse(t, rec).Descendants() {
		if n.Data == "link" && attr(n, "rel") == "stylesheet" {
			return attr(n, "href")
		}
	}
	t.Fatal("the page has no style sheet")
	return ""
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(nil, Config{}); err == nil {
		t.Error("pages without runs")
	}
	for _, c := range []Config{{GitHubURL: "javascript:alert(1)"}, {GitHubURL: "github.com"}, {PublicURL: "ftp://x"}} {
		if _, err := New(shelf{}, c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

func TestBars(t *testing.T) {
	runs := sampleRuns()
	late := runs["clean"]
	end := late.Agents[5].FinishedAt
	late.Agents = append(slices.Clone(late.Agents), review.AgentRun{Name: "quick", Status: review.AgentDone, StartedAt: end, FinishedAt: end})
	runs["late"] = late
	for id, run := range runs {
		for _, a := range agentViews(run) {
			if a.bar.x < 0 || a.bar.width < 0 || a.bar.x+a.bar.width > 100.001 {
				t.Errorf("%s: the bar of %s is %+v", id, a.name, a.bar)
			}
			if (a.bar.width > 0) != (a.state.word != "waiting") {
				t.Errorf("%s: %s is %s and its bar is %+v", id, a.name, a.state.word, a.bar)
			}
		}
	}
}

// Every class the pages use has a rule, and no colour is set outside the
// tokens, so that both schemes are whole.
func TestStyleSheet(t *testing.T) {
	css, err := os.ReadFile("assets/app.css")
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(css, []byte("*, *::before"))
	if c := regexp.MustCompile(`#[0-9a-f]{3,8}\b`).Find(css[start:]); c != nil {
		t.Errorf("a colour outside the tokens: %s", c)
	}
	light := regexp.MustCompile(`(?m)^  (--[a-z-]+): (#[0-9a-f]+|0 1px)`).FindAllSubmatch(css, -1)
	dark := regexp.MustCompile(`(?m)^    (--[a-z-]+): `).FindAllSubmatch(css, -1)
	var missing []string
	for _, l := range light {
		if !slices.ContainsFunc(dark, func(d [][]byte) bool { return bytes.Equal(d[1], l[1]) }) {
			missing = append(missing, string(l[1]))
		}
	}
	if want := []string{"--fg-on-emphasis"}; !slices.Equal(missing, want) {
		t.Errorf("colours without a dark twin: %v, want only %v", missing, want)
	}
}
