package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// TestAnswers holds that answers are found by repository and key, leave when
// they are old or too many, and go with their repository's installation.
func TestAnswers(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s, err := Open(t.Context(), Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "a.db"), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	has := func(repo int64, key string) string {
		body, ok, err := s.Answer(context.Background(), repo, key)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(string(body), ok)
	}
	keep := func(repo int64, key, body string) {
		if err := s.KeepAnswer(t.Context(), repo, key, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	keep(1, "a", "first")
	keep(1, "a", "second")
	if got := has(1, "a") + has(2, "a") + has(1, "b"); got != "secondtruefalsefalse" {
		t.Errorf("found %q", got)
	}
	for i := range 10 {
		now = now.Add(time.Second)
		keep(1, fmt.Sprint(i), "x")
	}
	if n, err := s.pruneAnswers(t.Context(), 100, 4); n != 7 || err != nil {
		t.Errorf("%d pruned of 11, 4 may stay: %v", n, err)
	}
	if got := has(1, "5") + has(1, "6"); got != "falsextrue" {
		t.Errorf("the oldest left: %q", got)
	}
	now = now.Add(AnswerRetention + time.Minute)
	if got := has(1, "9"); got != "false" {
		t.Errorf("an old one is found: %q", got)
	}
	if n, err := s.PruneAnswers(t.Context(), 100); n != 4 || err != nil {
		t.Errorf("%d pruned for their age: %v", n, err)
	}
	keep(5, "a", "x")
	if err := s.purgeRepository(t.Context(), 1, 5, 100); err != nil {
		t.Fatal(err)
	}
	if got := has(5, "a"); got != "false" {
		t.Errorf("after the purge: %q", got)
	}
}
