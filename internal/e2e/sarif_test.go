package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/internal/ghfake"
	"assay/internal/intake"
)

const sarifSecret = "a secret of 32 characters or more"

// TestSARIF goes the whole way of a team's own scanner: the review waits for its
// upload, and completes itself when that comes.
func TestSARIF(t *testing.T) {
	w := newWorld(t)
	w.serve("ASSAY_SARIF_SECRET=" + sarifSecret)
	w.gh.Commit(w.repo, "main", "Configure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text("version: 1\npipelines:\n  review:\n    agents: [sarif]\n")})
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Query", Head: "query"}, ghfake.Files{"query.go": ghfake.Text("package main\n\nvar q = \"a\" + b\n")})
	check := w.check(pull)
	if check.Conclusion != "neutral" || !strings.Contains(check.Summary+check.Title+check.Text, "no results have been uploaded for this head") {
		t.Errorf("before the upload: %s, %q\n%s", check.Conclusion, check.Title, check.Summary)
	}

	command := exec.Command(binary, "sarif", "key", "octo-org/shop")
	command.Env = w.env("ASSAY_SARIF_SECRET=" + sarifSecret)
	key, err := command.Output()
	if err != nil {
		t.Fatal("print the key:", err)
	}
	result := func(rule string, line int) string {
		return fmt.Sprintf(`{"ruleId": %q, "level": "error", "message": {"text": "Found by the scanner."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "query.go"}, "region": {"startLine": %d}}}]}`, rule, line)
	}
	log := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Scanner"}}, "results": [` + result("sql/injection", 3) + `]}]}`
	if code, answer := w.upload("wrong", pull.HeadSHA(), log); code != http.StatusUnauthorized {
		t.Errorf("with a wrong key: %d %s", code, answer)
	}
	if code, answer := w.upload(strings.TrimSpace(string(key)), pull.HeadSHA(), log); code != http.StatusAccepted || !strings.Contains(answer, `"results":1`) {
		t.Fatalf("upload: %d %s", code, answer)
	}
	w.until("the check shows the finding", func() bool { return w.check(pull).Conclusion == "failure" })
	if check := w.check(pull); len(check.Annotations) != 1 || check.Annotations[0].StartLine != 3 || !strings.Contains(check.Annotations[0].Message, "Found by the scanner.") {
		t.Errorf("annotations: %+v", check.Annotations)
	}
}

// TestNoSARIF holds that a service without the secret has no such address.
func TestNoSARIF(t *testing.T) {
	w := newWorld(t)
	w.serve()
	if code, answer := w.upload("any", strings.Repeat("a", 40), "{}"); code != http.StatusNotFound {
		t.Errorf("%d %s", code, answer)
	}
}

func (w *world) upload(key, head, log string) (int, string) {
	w.t.Helper()
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	if _, err := io.WriteString(zip, log); err != nil {
		w.t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		w.t.Fatal(err)
	}
	query := "repository=octo-org/shop&sha=" + head + "&category=scan"
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature := intake.Sign(key, stamp, query, body.Bytes())
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url("/api/sarif?"+query), &body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set(intake.TimestampHeader, stamp)
	req.Header.Set(intake.SignatureHeader, signature)
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}
