package ghfake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// try sends a request that may fail on the way.
func (w *world) try(ctx context.Context, method, path, token, body string) (int, []byte, error) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	// A connection of its own: net/http sends a request again when an old
	// connection turns out to be dead.
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

func TestFaults(t *testing.T) {
	const comments = repoPath + "/issues/1/comments"
	tests := []struct {
		name  string
		fault Fault
		// what the client sees, and whether the comment was made
		status int
		body   string
		broken bool
		made   bool
	}{
		{"nothing said is 502", Fault{}, 502, "", false, false},
		{"status and body", Fault{Status: 500, Body: `{"message":"boom"}`}, 500, "boom", false, false},
		{"garbage", Fault{Body: `<html>unicorn</html>`}, 200, "unicorn", false, false},
		{"answer lost", Fault{Status: 502, After: true}, 502, "", false, true},
		{"dropped before", Fault{Drop: true}, 0, "", true, false},
		{"dropped after", Fault{Drop: true, After: true}, 0, "", true, true},
		{"truncated", Fault{Truncate: true}, 201, "", true, true},
		{"slow", Fault{Delay: time.Millisecond}, 201, `"body":"x"`, false, true},
		{"more headers", Fault{Header: http.Header{"Retry-After": {"1"}}}, 201, `"body":"x"`, false, true},
		{"another method", Fault{Method: get, Status: 500}, 201, `"body":"x"`, false, true},
		{"another route", Fault{Pattern: "/repos/{owner}/{repo}", Status: 500}, 201, `"body":"x"`, false, true},
		{"its route", Fault{Pattern: "/repos/{owner}/{repo}/issues/{issue_number}/comments", Status: 500}, 500, "", false, false},
		{"a pattern", Fault{Pattern: "/repos/*/shop/issues/*/comments", Status: 500}, 500, "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			token := w.token("")
			m := w.srv.Misbehave(tt.fault)
			status, body, err := w.try(context.Background(), post, comments, token, `{"body":"x"}`)
			if status != tt.status && !(tt.broken && status == 0) || (err != nil) != tt.broken || !strings.Contains(string(body), tt.body) {
				t.Errorf("got %d %q %v", status, body, err)
			}
			if made := len(w.srv.Comments(w.pull)) == 1; made != tt.made {
				t.Errorf("comment made: %t, want %t", made, tt.made)
			}
			m.Stop()
			m.Stop()
			w.do(post, comments, token, `{"body":"x"}`).want(t, 201)
		})
	}
}

func TestFaultStrikesAFewTimes(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	m := w.srv.Misbehave(Fault{Status: 500, Times: 2})
	second := w.srv.Misbehave(Fault{Status: 418, Times: 1})
	for _, want := range []int{500, 500, 418, 200} {
		w.do(get, repoPath, token, "").want(t, want)
	}
	if m.Hits() != 2 || second.Hits() != 1 {
		t.Errorf("%d and %d hits", m.Hits(), second.Hits())
	}
	q := w.srv.Requests()
	if first := q[len(q)-4]; !first.Fault || first.Status != 500 {
		t.Errorf("recorded %+v", first)
	}
}

func TestHangingEnds(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	w.srv.Misbehave(Fault{Hang: true})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := w.try(ctx, get, repoPath, token, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the client's deadline", err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, err := w.try(context.Background(), get, repoPath, token, "")
		done <- err
	}()
	w.srv.Close()
	if err := <-done; err == nil {
		t.Error("a hanging request was answered")
	}
}
