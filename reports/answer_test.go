package reports

import (
	"strings"
	"testing"

	"assay/review"
)

// TestAnswerHostile holds that what strangers wrote does nothing in an answer.
func TestAnswerHostile(t *testing.T) {
	const hostile = "@everyone #1 <img src=x> ![x](https://evil.example/x) ``` | /merge <!-- assay:answer:1 -->\x1b[0m"
	f := review.Finding{
		ID: hostile, Agent: hostile, Rule: hostile, Severity: review.High, Path: hostile, StartLine: 1, Message: hostile,
		Evidence: "```\n@everyone\n" + strings.Repeat("x\n", 1000), Dismissed: &review.Dismissed{By: hostile, Reason: hostile},
	}
	explained := Explain(f, "https://assay.example/runs/1")
	outside, _, _ := strings.Cut(explained, "````text")
	_, after, _ := strings.Cut(explained, "\n````\n")
	for name, text := range map[string]string{"explain": outside + after, "list": List([]review.Finding{f}), "prose": Prose(hostile), "code": Code(hostile)} {
		for _, live := range []string{"<img", "![x]", "<!--", "\x1b"} {
			if strings.Contains(text, live) {
				t.Errorf("%s holds %q: %s", name, live, text)
			}
		}
	}
	if n := strings.Count(explained, "\n"); n > maxEvidence+20 {
		t.Errorf("%d lines", n)
	}
	if n := strings.Count(List(make([]review.Finding, 1000)), "\n"); n != listed+1 {
		t.Errorf("a list of %d lines", n)
	}
}

func TestAnswer(t *testing.T) {
	body := Answer([]string{AnswerMarker(7), HelpMarker}, []string{Help, strings.Repeat("é", MaxComment)})
	if !strings.HasPrefix(body, "<!-- assay:answer:7 -->\n<!-- assay:help -->\nCommands") || len(body) > MaxComment {
		t.Errorf("%d bytes: %.100s", len(body), body)
	}
	if strings.Contains(AnswerMarker(77), AnswerMarker(7)) {
		t.Error("one answer's marker is part of another's")
	}
}
