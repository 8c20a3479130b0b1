package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func testUploads(t *testing.T, s *Store) {
	ctx := t.Context()
	at := time.Now().UTC().Truncate(time.Microsecond)
	put := func(repo int64, head, category, results string, after time.Duration) error {
		return s.PutUpload(ctx, Upload{RepoID: repo, HeadSHA: head, Category: category, Results: []byte(results), ReceivedAt: at.Add(after)})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	have := func(repo int64, head string) (list []string) {
		t.Helper()
		for _, u := range must1[[]Upload](t)(s.Uploads(ctx, repo, head)) {
			list = append(list, fmt.Sprint(u.Category, " ", string(u.Results), " ", u.ReceivedAt.Sub(at)))
		}
		return list
	}
	is := func(what string, got []string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	long := strings.Repeat("r", 1<<20)
	must(put(91, "h1", "semgrep", "s1", 0))
	must(put(91, "h1", "codeql", long, time.Second))
	must(put(91, "h2", "", "other head", 0))
	must(put(92, "h1", "", "other repository", 0))
	is("by category", have(91, "h1"), "codeql "+long+" 1s", "semgrep s1 0s")
	must(put(91, "h1", "semgrep", "s2", time.Minute))
	must(put(91, "h1", "semgrep", "late", time.Second))
	is("the newest wins", have(91, "h1"), "codeql "+long+" 1s", "semgrep s2 1m0s")
	is("another repository", have(92, "h1"), " other repository 0s")
	is("an unknown head", have(91, "h3"))

	for i := range MaxCategories {
		must(put(93, "h", fmt.Sprint(i), "x", 0))
	}
	if err := put(93, "h", "one more", "x", 0); !errors.Is(err, ErrTooManyUploads) {
		t.Errorf("one category too many: %v", err)
	}
	must(put(93, "h", "0", "again", time.Second))
	if err := put(93, "h", "0", strings.Repeat("x", maxBody+1), 0); err == nil {
		t.Error("results that could not be read back were taken")
	}

	must(put(94, "old", "", "x", -DeliveryRetention-time.Hour))
	must1[int](t)(s.Prune(ctx, 1000))
	is("pruned", have(94, "old"))
	is("too young to prune", have(92, "h1"), " other repository 0s")

	must(s.AddRepositories(ctx, 95, []review.Repo{{ID: 951, Owner: "Acme", Name: "Up"}, {ID: 952, Owner: "acme", Name: "gone"}}))
	must(s.DropRepositories(ctx, 95, []review.Repo{{ID: 952, Owner: "acme", Name: "gone"}}))
	for name, want := range map[string]int64{"up": 951, "UP": 951, "gone": 0, "none": 0} {
		r, ok, err := s.RepositoryNamed(ctx, "acme", name)
		if err != nil || ok != (want != 0) || r.ID != want {
			t.Errorf("%s: %+v, %t, %v", name, r, ok, err)
		}
	}
	must(put(951, "h", "a", "x", 0))
	must(s.Purge(ctx, 95, 0, 10))
	is("purged", have(951, "h"))
}
