package ghapp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

func TestInstallations(t *testing.T) {
	h := newHub(t)
	var items []string
	for i := range 101 {
		items = append(items, fmt.Sprintf(`{"id":%d,"account":{"login":"org%d"},"suspended_at":null}`, i+1, i+1))
	}
	items[100] = `{"id":101,"account":null,"suspended_at":"2026-03-04T09:30:00Z"}`
	h.HandleFunc("GET /app/installations", func(w http.ResponseWriter, r *http.Request) { page(h, w, r, "%s", items) })
	got, err := h.app().Installations(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 101 || got[0] != (Installation{ID: 1, Account: "org1"}) || got[100] != (Installation{ID: 101, Suspended: true}) {
		t.Errorf("got %d installations, %+v to %+v", len(got), got[0], got[len(got)-1])
	}
}

// TestRepositories holds that the token for it spans the installation and is
// good for metadata alone, and that archived repositories are left out.
func TestRepositories(t *testing.T) {
	h := newHub(t)
	const format = `{"id":%d,"name":"r%d","owner":{"login":"octo"},"default_branch":"main","private":true,"archived":%v,"disabled":false}`
	var items []string
	for i := range 130 {
		items = append(items, fmt.Sprintf(format, i+1, i+1, i == 3))
	}
	h.HandleFunc("GET /installation/repositories", func(w http.ResponseWriter, r *http.Request) {
		page(h, w, r, `{"total_count":130,"repositories":%s}`, items)
	})
	app := h.app()
	got, err := app.Repositories(within(t), testInstall)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 129 {
		t.Errorf("%d repositories, want 129", len(got))
	}
	if d := cmp.Diff(review.Repo{ID: 1, Owner: "octo", Name: "r1", DefaultBranch: "main", Private: true}, got[0]); d != "" {
		t.Error(d)
	}
	want := []mintRequest{{Installation: "7", Permissions: map[string]string{"metadata": "read"}}}
	if d := cmp.Diff(want, h.minted()); d != "" {
		t.Errorf("tokens: %s", d)
	}
	// Nor is that token lent to a job in a repository.
	h.HandleFunc("GET /repos/octo/hello/pulls/5", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, fmt.Sprintf(pullJSON, 1)) })
	if _, err := app.Repository(testInstall, testRepo, 0).Pull(within(t), 5); err != nil {
		t.Fatal(err)
	}
	if mints := h.minted(); len(mints) != 2 || len(mints[1].RepositoryIDs) != 1 {
		t.Errorf("tokens %+v, want one of its own for the repository", mints)
	}
}

func TestReachFaults(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   fault.Kind
	}{
		{"suspended", 403, `{"message":"This installation has been suspended"}`, fault.Gone},
		{"uninstalled", 404, `{"message":"Not Found"}`, fault.Gone},
		{"rate limited", 429, `{}`, fault.RateLimited},
		{"no list", 200, `{}`, fault.Transient},
		{"half a repository", 200, `{"repositories":[{"id":1}]}`, fault.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("GET /installation/repositories", func(w http.ResponseWriter, _ *http.Request) { reply(w, tt.status, tt.body) })
			_, err := h.app().Repositories(within(t), testInstall)
			wantKind(t, err, tt.want)
		})
	}
}

// TestOpenPulls holds that the list ends, and no page more is asked for, where
// pull requests are older than what was asked for.
func TestOpenPulls(t *testing.T) {
	h := newHub(t)
	start := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	var items []string
	for i := range 250 {
		one := strings.Replace(fmt.Sprintf(pullJSON, 1), `"number":5`, fmt.Sprintf(`"number":%d`, i+1), 1)
		at := start.Add(-time.Duration(i) * time.Minute).Format(time.RFC3339)
		items = append(items, strings.Replace(one, `"title"`, fmt.Sprintf(`"updated_at":%q,"title"`, at), 1))
	}
	h.HandleFunc("GET /repos/octo/hello/pulls", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("state") != "open" || q.Get("sort") != "updated" || q.Get("direction") != "desc" {
			t.Errorf("asked for %s", r.URL)
		}
		page(h, w, r, "%s", items)
	})
	got, err := h.repo().OpenPulls(within(t), start.Add(-149*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 150 || got[0].Number != 1 || !got[0].UpdatedAt.Equal(start) || got[149].Number != 150 || got[0].HeadSHA != headSHA {
		t.Errorf("%d pull requests, want 150 from 1 to 150", len(got))
	}
	if n := h.count("GET /repos/octo/hello/pulls"); n != 2 {
		t.Errorf("%d pages read, want 2", n)
	}
	items = []string{strings.Replace(items[0], `"updated_at"`, `"was"`, 1)}
	_, err = h.repo().OpenPulls(within(t), start)
	wantKind(t, err, fault.Transient)
}
