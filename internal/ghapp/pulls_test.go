package ghapp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

func TestPull(t *testing.T) {
	tests := []struct {
		name   string
		change func(string) string
		want   func(*review.Pull)
	}{
		{"plain", func(s string) string { return s }, func(*review.Pull) {}},
		{"fork", func(s string) string {
			return strings.Replace(s, headSHA+`","repo":{"id":99}`, headSHA+`","repo":{"id":98}`, 1)
		}, func(p *review.Pull) { p.Fork = true }},
		{"deleted fork", func(s string) string {
			return strings.Replace(s, headSHA+`","repo":{"id":99}`, headSHA+`","repo":null`, 1)
		}, func(p *review.Pull) { p.Fork = true }},
		{"ghost", func(s string) string { return strings.Replace(s, `{"login":"mona","type":"User"}`, "null", 1) }, func(p *review.Pull) { p.Author = review.Actor{Login: "ghost"} }},
		{"bot", func(s string) string { return strings.Replace(s, `"User"`, `"Bot"`, 1) }, func(p *review.Pull) { p.Author.Bot = true }},
		{"closed", func(s string) string { return strings.Replace(s, `"open"`, `"closed"`, 1) }, func(p *review.Pull) { p.Closed = true }},
		{"no body", func(s string) string { return strings.Replace(s, `"body":"B"`, `"body":null`, 1) }, func(p *review.Pull) { p.Body = "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("GET /repos/octo/hello/pulls/5", func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 200, tt.change(fmt.Sprintf(pullJSON, 1)))
			})
			got, err := h.repo().Pull(within(t), 5)
			if err != nil {
				t.Fatal(err)
			}
			want := testPull
			tt.want(&want)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestPullNotFoundAtFirst is fault G9.
func TestPullNotFoundAtFirst(t *testing.T) {
	for misses, wantErr := range map[int]bool{0: false, 1: false, 2: false, 3: true} {
		t.Run(fmt.Sprint(misses, " misses"), func(t *testing.T) {
			h := newHub(t)
			asked := 0
			h.HandleFunc("GET /repos/octo/hello/pulls/5", func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked <= misses {
					reply(w, 404, `{"message":"Not Found"}`)
					return
				}
				reply(w, 200, fmt.Sprintf(pullJSON, 1))
			})
			_, err := h.repo().Pull(within(t), 5)
			if wantErr {
				wantKind(t, err, fault.Gone)
			} else if err != nil {
				t.Fatal(err)
			}
			if asked > 3 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestPullsForCommit(t *testing.T) {
	h := newHub(t)
	var items []string
	for i := range 130 {
		items = append(items, strings.Replace(fmt.Sprintf(pullJSON, 1), `"number":5`, fmt.Sprintf(`"number":%d`, i+1), 1))
	}
	h.HandleFunc("GET /repos/octo/hello/commits/"+headSHA+"/pulls", func(w http.ResponseWriter, r *http.Request) { page(h, w, r, "%s", items) })
	got, err := h.repo().PullsForCommit(within(t), headSHA)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 130 || got[129].Number != 130 {
		t.Errorf("got %d pull requests", len(got))
	}
	items = nil
	if got, err := h.repo().PullsForCommit(within(t), headSHA); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
	_, err = h.repo().PullsForCommit(within(t), "../../../user")
	wantKind(t, err, fault.Invalid)
}

func TestOddRepositoriesAreRefused(t *testing.T) {
	h := newHub(t)
	for _, repo := range []review.Repo{{}, {Owner: "..", Name: "app"}, {Owner: "a/b", Name: "c"}, {Owner: "a", Name: "b?c=d"}, {Owner: "a", Name: "%2e%2e"}} {
		_, err := h.app().Repository(testInstall, repo, ForReading).Pull(within(t), 5)
		wantKind(t, err, fault.Invalid)
	}
}
