package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"assay/internal/ghfake"
	"assay/internal/pgtest"
)

// Planted secrets. They are put together here, so that no scanner takes this
// file for a leak.
const (
	adminToken   = "canary-admin-token-5f1c7b"
	dbPassword   = "canary-db-password-99aa"
	collectorKey = "canary-collector-key-17e0"
	inTheDiff    = "gh" + "p_" + "q7Xw2LmN9vRt4YbK8sZd3HcF6jPg5TnW1aQe"
	echoedToken  = "gh" + "s_" + "canaryEchoedByGitHub0123456789abcdef"
)

// minted finds any installation token.
var minted = regexp.MustCompile(`gh` + `s_[A-Za-z0-9]{6,}`)

// heard is what some part of the service has said.
type heard struct{ where, text string }

// canaries are what may be heard nowhere, by name.
func (w *world) canaries() map[string]string {
	all := map[string]string{
		"webhook secret": webhookSecret, "admin token": adminToken, "collector key": collectorKey, "secret in the diff": inTheDiff,
	}
	if w.database != "" {
		all["database password"] = dbPassword
	}
	for i, line := range strings.Split(strings.TrimSpace(string(w.app.KeyPEM())), "\n") {
		if !strings.HasPrefix(line, "-----") {
			all[fmt.Sprint("line of the app's key ", i)] = line
		}
	}
	return all
}

func (w *world) mustNotSing(said []heard) {
	w.t.Helper()
	for _, h := range said {
		for name, canary := range w.canaries() {
			for _, form := range []string{canary, url.QueryEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary))} {
				if at := strings.Index(h.text, form); at >= 0 {
					w.t.Errorf("%s shows the %s: …%s", h.where, name, h.text[max(0, at-200):min(len(h.text), at+60)])
				}
			}
		}
		if at := minted.FindStringIndex(h.text); at != nil {
			w.t.Errorf("%s shows an installation token: …%s", h.where, h.text[max(0, at[0]-200):at[1]])
		}
	}
}

// fetch asks the service for a page as somebody who has that token.
func (w *world) fetch(method, path, token string, body io.Reader) (int, heard) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url(path), body)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if err := resp.Header.Write(&text); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.Copy(&text, resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, heard{fmt.Sprintf("%s %s as %q", method, path, token[:min(3, len(token))]), text.String()}
}

// collector is an OpenTelemetry collector that keeps what it is sent.
type collector struct {
	mu   sync.Mutex
	text bytes.Buffer
	keys []string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, r.Header.Get("X-Key"))
	body, err := gzip.NewReader(r.Body)
	if err == nil {
		_, err = io.Copy(&c.text, body) // protobuf has its texts as they are
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

// TestCanaries plants secrets wherever the service has some, makes GitHub
// repeat them in its errors, and listens to everything that the service says.
func TestCanaries(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testCanaries(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) {
		w := newWorld(t)
		u, err := url.Parse(pgtest.Start(t).Database(t))
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), dbPassword) // the cluster takes any
		w.database = u.String()
		testCanaries(t, w)
	})
}

func testCanaries(t *testing.T, w *world) {
	c := &collector{}
	spans := httptest.NewServer(c)
	defer spans.Close()
	s := w.serve("ASSAY_ADMIN_TOKEN="+adminToken, "LOG_LEVEL=debug", "LOG_FORMAT=json",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+spans.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-key="+collectorKey)

	keyLine := strings.Split(string(w.app.KeyPEM()), "\n")[1]
	loud := func(what string) string {
		body, err := json.Marshal(map[string]string{"message": what + " " + echoedToken + " " + adminToken + " " + webhookSecret + " " + dbPassword + " " + keyLine})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	// Trouble that heals: errors with everything in them, before and in the
	// middle of a review with findings.
	w.gh.Misbehave(ghfake.Fault{Method: "GET", Pattern: "/repos/{owner}/{repo}/pulls/{pull_number}/files", Status: 500, Body: loud("boom"), Times: 4})
	w.gh.Misbehave(ghfake.Fault{Method: "POST", Pattern: "/app/installations/{installation_id}/access_tokens", Status: 500, Body: loud("no token"), Times: 1})
	leak := ghfake.Text("package main\n\n<<<<<<< HEAD\nvar token = \"" + inTheDiff + "\"\n=======\nvar a = 2\n>>>>>>> other\n")
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Add a token"}, ghfake.Files{"a.go": leak})
	found := w.check(pull)
	if found.Conclusion != "failure" || len(found.Annotations) < 2 || len(w.gh.Comments(pull)) != 1 {
		t.Fatalf("check %s with %d annotations, %d comments: the review has not found the secret", found.Conclusion, len(found.Annotations), len(w.gh.Comments(pull)))
	}
	// Trouble for good: what is given up is shown too.
	w.gh.Misbehave(ghfake.Fault{Method: "POST", Pattern: "/repos/{owner}/{repo}/issues/{issue_number}/comments", Status: 403, Body: loud("refused")})
	given := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Another", Head: "another"}, ghfake.Files{"b.go": leak})
	dead := w.check(given)
	// And when not even the check can be made.
	refuse := w.gh.Misbehave(ghfake.Fault{Method: "POST", Pattern: "/repos/{owner}/{repo}/check-runs", Status: 403, Body: loud("refused")})
	w.gh.OpenPull(w.repo, ghfake.Pull{Title: "A third", Head: "third"}, ghfake.Files{"c.go": leak})
	w.until("the third is given up", func() bool { return refuse.Hits() > 0 })
	refuse.Stop()
	w.idle()

	said := w.answers(found, dead)
	for _, p := range []*ghfake.PullRequest{pull, given} {
		shown, err := json.Marshal([]any{w.gh.CheckRuns(w.repo, p.HeadSHA()), w.gh.Comments(p)})
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, heard{"GitHub", string(shown)})
	}
	for _, args := range [][]string{{"runs"}, {"runs", "--json"}, {"runs", "--status", "dead", "--json"}} {
		out, code := w.run(args...)
		if code != 0 {
			t.Errorf("assay %v exits %d: %s", args, code, out)
		}
		said = append(said, heard{fmt.Sprint("assay ", args), out})
	}
	s.stop()
	log := s.log.String()
	if !strings.Contains(log, `boom [secret] [secret] [secret] `) {
		t.Error("the log has no censored line of GitHub's error: this test has not tested it")
	}
	if trace := c.text.String(); !strings.Contains(trace, "agent secrets") || !strings.Contains(trace, "GitHub GET") || c.keys[0] != collectorKey {
		t.Error("the collector was not sent the traces of a run")
	}
	w.mustNotSing(append(said, heard{"the log", log}, heard{"the traces", c.text.String()}))
}

// answers are those of all routes, to the operator, to strangers, and to
// requests that are wrong. Each route must have something to say.
func (w *world) answers(checks ...ghfake.CheckRun) (said []heard) {
	w.t.Helper()
	ask := func(want int, method, path, token string, body io.Reader) string {
		w.t.Helper()
		status, h := w.fetch(method, path, token, body)
		if status != want {
			w.t.Errorf("%s answers %d, want %d: %.300s", h.where, status, want, h.text)
		}
		said = append(said, h)
		return h.text
	}
	health := ask(200, "GET", "/api/health/detailed", adminToken, nil)
	if !strings.Contains(health, `"circuitBreakers":{`) || !strings.Contains(health, `"deadLetters":{`) {
		w.t.Errorf("health: %s", health)
	}
	metrics := ask(200, "GET", "/metrics", adminToken, nil)
	for _, want := range []string{
		`assay_findings_total{agent="secrets",severity="`, `assay_runs_total{conclusion="failure",health="complete",status="done"} 1`,
		`assay_agent_duration_seconds_count{agent="hygiene",status="done"}`, `assay_deliveries_total{result="accepted"} 3`,
		`assay_github_request_duration_seconds_count{method="GET",status="500"} 4`, "assay_runs_in_flight 0\n", "assay_queue_oldest_age_seconds 0\n",
	} {
		if !strings.Contains(metrics, want) {
			w.t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(metrics, "octo-org") || strings.Contains(metrics, "shop") {
		w.t.Error("the metrics name a repository")
	}
	if config := ask(200, "GET", "/api/orchestrator/config", adminToken, nil); !strings.Contains(config, `"pipeline":"review"`) {
		w.t.Errorf("orchestrator: %s", config)
	}
	ask(200, "GET", "/api/cache/stats", adminToken, nil)
	ask(200, "GET", "/", adminToken, nil)
	for _, path := range []string{"/", "/metrics", "/api/health/detailed", "/api/orchestrator/config", "/api/cache/stats"} {
		ask(401, "GET", path, "", nil)
		ask(401, "GET", path, "wrong-"+webhookSecret, nil)
	}
	for _, check := range checks {
		page := strings.TrimPrefix(check.DetailsURL, w.url(""))
		for _, path := range []string{page, page + ".json", page + "/json", page + "/sarif"} {
			ask(200, "GET", path, "", nil)
		}
	}
	ask(404, "GET", "/runs/"+adminToken, "", nil)
	ask(404, "GET", "/nothing?token="+adminToken, "", nil)
	ask(405, "DELETE", "/webhook", "", nil)
	ask(415, "POST", "/webhook", "", strings.NewReader(webhookSecret))
	ask(200, "GET", "/livez", "", nil)
	ask(200, "GET", "/readyz", "", nil)
	return said
}
