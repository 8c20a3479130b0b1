package ghapp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/internal/ghfake"
	"assay/review"
)

// sorted orders what GitHub gives no order to.
func sorted(r review.Readiness) review.Readiness {
	slices.SortFunc(r.Checks, func(a, b review.CheckState) int { return strings.Compare(a.Name, b.Name) })
	return r
}

func TestReadiness(t *testing.T) {
	w := newWorld(t)
	ci := w.fake.AddApp(ghfake.App{Slug: "ci", Key: testKey()})
	w.fake.Install(ci, "octo")
	head := w.pull.HeadSHA()
	w.fake.SetRules(w.repo, "main", ghfake.Demands{Checks: []string{"build"}, Approvals: 1})
	w.fake.Protect(w.repo, "main", ghfake.Demands{Checks: []string{"deploy"}})
	w.fake.RunCheck(ci, w.repo, head, "build", "failure")
	w.fake.RunCheck(ci, w.repo, head, "lint", "timed_out")
	w.fake.RunCheck(ci, w.repo, head, "docs", "skipped")
	w.fake.RunCheck(w.app, w.repo, head, "assay / review", "neutral")
	w.fake.SetStatus(w.repo, head, ghfake.Status{Context: "ext/cov", State: "error", URL: "https://cov.example"})
	w.fake.SubmitReview(w.pull, ghfake.Review{Author: "ada", State: "CHANGES_REQUESTED", Body: "no"})
	w.fake.SubmitReview(w.pull, ghfake.Review{Author: "ada", State: "APPROVED"})
	w.fake.SubmitReview(w.pull, ghfake.Review{Author: "max", State: "CHANGES_REQUESTED", Body: "hm", Comments: []ghfake.ReviewComment{
		{Path: "b.go", Line: 3, Body: "why?"}, {Path: "main.go", Line: 3, Body: "sure?"},
	}})
	w.fake.ResolveThread(w.fake.ReviewComments(w.pull)[0].ID, "mona")
	behind := w.fake.Commit(w.repo, "main", "meanwhile", "ada", ghfake.Files{"other.md": ghfake.Text("x\n")})

	got, err := w.change().Host.Readiness(within(t))
	if err != nil {
		t.Fatal(err)
	}
	web := w.fake.CheckRuns(w.repo, head)[0].DetailsURL
	want := review.Readiness{
		Checks: []review.CheckState{
			{Name: "assay / review", State: "neutral", Ours: true, URL: strings.Replace(web, "/ci", "/assay", 1)},
			{Name: "build", State: "failure", Required: true, URL: web},
			{Name: "deploy", State: "pending", Required: true},
			{Name: "docs", State: "skipped", URL: web},
			{Name: "ext/cov", State: "failure", URL: "https://cov.example"},
			{Name: "lint", State: "failure", URL: web},
		},
		ReviewDecision: "CHANGES_REQUESTED", Approvals: []string{"ada"}, ChangesRequested: []string{"max"},
		Unresolved: 1, Mergeable: "MERGEABLE", Behind: 1, BaseDate: got.BaseDate,
	}
	if d := cmp.Diff(want, sorted(got)); d != "" {
		t.Error(d)
	}
	if got.BaseDate.IsZero() || behind == "" {
		t.Error("it is not known how old the base is")
	}
	if n := w.count(ghfake.GraphQLRoute); n != 1 {
		t.Errorf("%d queries, want one", n)
	}
	for _, q := range w.requests() {
		if q.Route != ghfake.GraphQLRoute {
			continue
		}
		asked := map[string]string{"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "read", "statuses": "read"}
		if d := cmp.Diff(asked, q.Permissions); d != "" || len(q.Repositories) != 1 {
			t.Errorf("token for %v: %s", q.Repositories, d)
		}
	}
}

// TestReadinessOfManyChecks holds that what does not fit a page is asked for.
func TestReadinessOfManyChecks(t *testing.T) {
	w := newWorld(t)
	ci := w.fake.AddApp(ghfake.App{Slug: "ci", Key: testKey()})
	for i := range 130 {
		w.fake.RunCheck(ci, w.repo, w.pull.HeadSHA(), "shard "+strings.Repeat("i", i+1), "success")
	}
	w.fake.SubmitReview(w.pull, ghfake.Review{Author: "ada", State: "COMMENTED", Body: "x", Comments: []ghfake.ReviewComment{{Path: "b.go", Line: 1, Body: "y"}}})
	got, err := w.change().Host.Readiness(within(t))
	if err != nil || len(got.Checks) != 130 || got.Unresolved != 1 || len(got.Unknown) != 0 {
		t.Errorf("%d checks, %d threads, unknown %q, %v", len(got.Checks), got.Unresolved, got.Unknown, err)
	}
	if n := w.count(ghfake.GraphQLRoute); n != 2 {
		t.Errorf("%d queries for two pages", n)
	}
}

func TestReadinessAsFarAsGranted(t *testing.T) {
	w := newWorld(t)
	w.fake.Grant(w.inst, map[string]string{"contents": "read", "issues": "read", "checks": "write", "pull_requests": "write"})
	head := w.pull.HeadSHA()
	w.fake.RunCheck(w.app, w.repo, head, "assay / review", "success")
	w.fake.SetStatus(w.repo, head, ghfake.Status{Context: "ext/a", State: "success"})
	w.fake.SetStatus(w.repo, head, ghfake.Status{Context: "ext/b", State: "success"})
	got, err := w.change().Host.Readiness(within(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"commit statuses: the installation has not granted statuses: read",
		"repository.pullRequest.commits.nodes.commit.statusCheckRollup.contexts.nodes: Resource not accessible by integration",
	}
	if d := cmp.Diff(want, got.Unknown); d != "" || len(got.Checks) != 1 || got.Checks[0].State != "success" {
		t.Errorf("checks %+v, unknown %s", got.Checks, d)
	}
}

func TestReadinessStates(t *testing.T) {
	w := newWorld(t)
	for _, state := range []string{"CONFLICTING", "UNKNOWN"} {
		w.fake.SetMergeable(w.pull, state)
		if got, err := w.change().Host.Readiness(within(t)); got.Mergeable != state || err != nil {
			t.Errorf("%s: %+v, %v", state, got, err)
		}
	}
	c := w.change()
	w.fake.Push(w.pull, ghfake.Files{"c.go": ghfake.Text("package main\n")}, "again")
	if _, err := c.Host.Readiness(within(t)); !errors.Is(err, review.ErrHeadMoved) || fault.KindOf(err) != fault.Transient {
		t.Errorf("moved head: %v", err)
	}
}

// TestReadinessIsAskedOnce holds it for agents that ask at the same time.
func TestReadinessIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	c := w.change()
	failing := w.fake.Misbehave(ghfake.GraphQLFailure("FORBIDDEN", "Resource not accessible by integration"))
	_, err := c.Host.Readiness(within(t))
	wantKind(t, err, fault.Unauthorized)
	failing.Stop()
	var agents sync.WaitGroup
	for range 20 {
		agents.Go(func() {
			if _, err := c.Host.Readiness(within(t)); err != nil {
				t.Error(err)
			}
			if _, err := c.Host.Setup(within(t)); err != nil {
				t.Error(err)
			}
			if _, err := c.Host.Commits(within(t)); err != nil {
				t.Error(err)
			}
		})
	}
	agents.Wait()
	for route, want := range map[string]int{ghfake.GraphQLRoute: 2, "/repos/{owner}/{repo}": 1, "/repos/{owner}/{repo}/pulls/{pull_number}/commits": 1} {
		if n := w.count(route); n != want {
			t.Errorf("%s asked %d times, want %d", route, n, want)
		}
	}
}

// TestGraphFaults holds what each way to fail means: 200 is GraphQL's answer to
// most of them.
func TestGraphFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault ghfake.Fault
		kind  fault.Kind
		until bool
		hits  int
	}{
		"rate limit":           {with(ghfake.GraphQLFailure("RATE_LIMITED", "API rate limit exceeded"), "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "99999999999"), fault.RateLimited, true, 1},
		"secondary limit":      {with(ghfake.GraphQLFailure("", "You have exceeded a secondary rate limit."), "Retry-After", "1800"), fault.RateLimited, true, 1},
		"limit as of REST":     {ghfake.Fault{Status: 403, Body: `{"message":"You have exceeded a secondary rate limit."}`}, fault.RateLimited, true, 1},
		"too many":             {ghfake.Fault{Status: 429, Body: `{}`}, fault.RateLimited, true, 1},
		"forbidden":            {ghfake.GraphQLFailure("FORBIDDEN", "Resource not accessible by integration"), fault.Unauthorized, false, 1},
		"gone":                 {ghfake.GraphQLFailure("NOT_FOUND", "Could not resolve to a Repository"), fault.Gone, false, 1},
		"took too long":        {ghfake.GraphQLFailure("", "Something went wrong while executing your query. This may be the result of a timeout."), fault.Transient, false, 3},
		"bad gateway":          {ghfake.Fault{Status: 502, Body: `<html>`}, fault.Transient, false, 3},
		"dropped":              {ghfake.Fault{Drop: true}, fault.Transient, false, 3},
		"half an answer":       {ghfake.Fault{Truncate: true}, fault.Transient, false, 3},
		"nothing":              {ghfake.Fault{Status: 200, Body: `{}`}, fault.Transient, false, 3},
		"null":                 {ghfake.Fault{Status: 200, Body: `null`}, fault.Transient, false, 3},
		"no pull request":      {ghfake.Fault{Status: 200, Body: `{"data":{"repository":{"pullRequest":null}}}`}, fault.Transient, false, 1},
		"null for an error":    {ghfake.Fault{Status: 200, Body: `{"data":{},"errors":[null]}`}, fault.Transient, false, 3},
		"query of a newer API": {ghfake.Fault{Status: 200, Body: `{"errors":[{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}]}`}, fault.Invalid, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.change()
			tt.fault.Method, tt.fault.Pattern = "POST", ghfake.GraphQLRoute
			m := w.fake.Misbehave(tt.fault)
			_, err := c.Host.Readiness(within(t))
			wantKind(t, err, tt.kind)
			if m.Hits() != tt.hits || fault.RetryAt(err).IsZero() == tt.until {
				t.Errorf("%d requests, come back at %v: %v", m.Hits(), fault.RetryAt(err), err)
			}
			// The hour of the one is over long after, and is cut to an hour.
			if wait := time.Until(fault.RetryAt(err)); name == "secondary limit" && wait < 29*time.Minute || name == "rate limit" && wait < 59*time.Minute {
				t.Errorf("comes back in %v", wait)
			}
			// REST is a dependency of its own.
			m.Stop()
			if _, err := c.Host.Setup(within(t)); err != nil {
				t.Errorf("REST suffers too: %v", err)
			}
		})
	}
}

func with(f ghfake.Fault, header ...string) ghfake.Fault {
	f.Header = http.Header{}
	for i := 0; i < len(header); i += 2 {
		f.Header.Set(header[i], header[i+1])
	}
	return f
}

func TestGraphLimit(t *testing.T) {
	w := newWorld(t)
	w.fake.SetLimits(ghfake.Limits{Primary: 6})
	w.fake.Comment(w.pull, "mona", "hi")
	r := w.hands()
	var err error
	for range 8 {
		if _, err = r.ReviewThreads(within(t), 1); err != nil {
			break
		}
	}
	wantKind(t, err, fault.RateLimited)
	if _, err := r.Pull(within(t), 1); err != nil {
		t.Errorf("REST has a limit of its own: %v", err)
	}
}

// TestGraphHidesTheToken holds that GitHub's words never carry the credential
// on, and that it is sent nowhere but to GraphQL's address.
func TestGraphHidesTheToken(t *testing.T) {
	for api, want := range map[string]string{"": "https://api.github.com/graphql", "https://ghe.example/api/v3": "https://ghe.example/api/graphql"} {
		a := quick(t, Config{APIURL: api, Transport: withTokens(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != want {
				t.Errorf("asked %s, want %s", r.URL, want)
			}
			secret := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			resp := answer(200, `{"errors":[{"type":"FORBIDDEN","message":"bad token `+secret+`"}]}`)
			resp.Request = r
			return resp, nil
		})})
		_, err := a.Repository(testInstall, testRepo, ForReview).ReviewThreads(within(t), 5)
		wantKind(t, err, fault.Unauthorized)
		if strings.Contains(err.Error(), "token-1") || !strings.Contains(err.Error(), "[token]") {
			t.Errorf("error %v", err)
		}
	}
}

func TestSetup(t *testing.T) {
	t.Run("bare", func(t *testing.T) {
		w := newWorld(t)
		got, err := w.change().Host.Setup(within(t))
		if d := cmp.Diff(review.Setup{DefaultBranch: "main"}, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
	t.Run("rules", func(t *testing.T) {
		w := newWorld(t)
		w.fake.Describe(w.repo, ghfake.About{Description: "A shop", License: "Apache-2.0", Archived: true})
		w.fake.SetRules(w.repo, "main", ghfake.Demands{Checks: []string{"lint", "build"}, Approvals: 2})
		got, err := w.change().Host.Setup(within(t))
		want := review.Setup{
			Description: "A shop", DefaultBranch: "main", Archived: true, License: "Apache-2.0",
			Protected: true, RequiredChecks: []string{"build", "lint"}, RequiredApprovals: 2,
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
	t.Run("protection", func(t *testing.T) {
		w := newWorld(t)
		w.fake.Protect(w.repo, "main", ghfake.Demands{Checks: []string{"build"}, Approvals: 2})
		got, err := w.change().Host.Setup(within(t))
		if err != nil || !got.Protected || got.RequiredApprovals != 0 || len(got.Unknown) != 1 || !slices.Equal(got.RequiredChecks, []string{"build"}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("rulesets not for this plan", func(t *testing.T) {
		w := newWorld(t)
		w.fake.Misbehave(ghfake.Fault{Pattern: "/repos/{owner}/{repo}/rules/branches/{branch:.+}", Status: 403, Body: `{"message":"Upgrade to GitHub Pro or make this repository public to enable this feature."}`})
		got, err := w.change().Host.Setup(within(t))
		want := []string{"what rulesets demand: GitHub answered 403: Upgrade to GitHub Pro or make this repository public to enable this feature."}
		if d := cmp.Diff(want, got.Unknown); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
	t.Run("down", func(t *testing.T) {
		w := newWorld(t)
		w.fake.Misbehave(ghfake.Fault{Pattern: "/repos/{owner}/{repo}/branches/{branch:.+}", Status: 503})
		_, err := w.change().Host.Setup(within(t))
		wantKind(t, err, fault.Transient)
	})
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestReviewThreads(t *testing.T) {
	w := newWorld(t)
	w.fake.SubmitReview(w.pull, ghfake.Review{Author: "max", State: "COMMENTED", Body: "b", Comments: []ghfake.ReviewComment{
		{Path: "b.go", Line: 3, Body: "why?"}, {Path: "main.go", Line: 3, Body: "sure?"},
	}})
	roots := w.fake.ReviewComments(w.pull)
	w.fake.ReplyReview(roots[0].ID, "mona", "because")
	w.fake.ResolveThread(roots[0].ID, "mona")
	r := w.hands()
	if err := r.MinimizeComment(within(t), "PRRC_"+itoa(roots[1].ID), Outdated); err != nil {
		t.Fatal(err)
	}
	w.fake.Push(w.pull, ghfake.Files{"main.go": ghfake.Text("package main\n")}, "shorter")
	got, err := r.ReviewThreads(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	reply := w.fake.ReviewComments(w.pull)[2].ID
	want := []ReviewThread{
		{ID: "PRRT_" + itoa(roots[0].ID), Resolved: true, ResolvedBy: "mona", Path: "b.go", Line: 3, Comments: []ThreadComment{
			{ID: roots[0].ID, NodeID: "PRRC_" + itoa(roots[0].ID), Author: review.Actor{Login: "max"}, Body: "why?"},
			{ID: reply, NodeID: "PRRC_" + itoa(reply), Author: review.Actor{Login: "mona"}, Body: "because"},
		}},
		{ID: "PRRT_" + itoa(roots[1].ID), Outdated: true, Path: "main.go", Comments: []ThreadComment{
			{ID: roots[1].ID, NodeID: "PRRC_" + itoa(roots[1].ID), Author: review.Actor{Login: "max"}, Body: "sure?", Minimized: true},
		}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_, err = r.ReviewThreads(within(t), 99)
	wantKind(t, err, fault.Gone)
}

// TestResolveThread holds that GitHub's odd demand for contents: write is told
// as what it is, and that nothing was resolved then.
func TestResolveThread(t *testing.T) {
	w := newWorld(t)
	w.fake.SubmitReview(w.pull, ghfake.Review{Author: "max", State: "COMMENTED", Body: "b", Comments: []ghfake.ReviewComment{{Path: "b.go", Line: 3, Body: "why?"}}})
	root := w.fake.ReviewComments(w.pull)[0].ID
	r := w.hands()
	err := r.ResolveThread(within(t), "PRRT_"+itoa(root))
	wantKind(t, err, fault.Unauthorized)
	if by := w.fake.ResolvedBy(root); by != "" {
		t.Errorf("resolved by %s", by)
	}
	wantKind(t, r.ResolveThread(within(t), "PRRT_1"), fault.Gone)
	wantKind(t, r.MinimizeComment(within(t), "IC_1", Outdated), fault.Gone)
}

// TestMutations holds what is made of GitHub's answers to them, and that they
// are made again when an answer is lost.
func TestMutations(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []string
		kind    fault.Kind
		calls   int
	}{
		"done":             {[]string{`{"data":{"resolveReviewThread":{"thread":{"isResolved":true}}}}`}, -1, 1},
		"lost, then done":  {[]string{``, `{"data":{"resolveReviewThread":{"thread":{"isResolved":true}}}}`}, -1, 2},
		"left open":        {[]string{`{"data":{"resolveReviewThread":{"thread":{"isResolved":false}}}}`}, fault.Internal, 1},
		"null and nothing": {[]string{`{"data":{"resolveReviewThread":null}}`}, fault.Transient, 1},
		"refused":          {[]string{`{"data":{"resolveReviewThread":null},"errors":[{"type":"FORBIDDEN","message":"no"}]}`}, fault.Unauthorized, 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			r := quick(t, Config{Transport: withTokens(func(r *http.Request) (*http.Response, error) {
				var sent struct {
					Variables map[string]string
				}
				if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.Variables["thread"] != "T_1" {
					t.Errorf("sent %v, %v", sent, err)
				}
				calls++
				body := tt.answers[calls-1]
				if body == "" {
					return nil, io.ErrUnexpectedEOF
				}
				return answer(200, body), nil
			})}).Repository(testInstall, testRepo, ForReview)
			err := r.ResolveThread(within(t), "T_1")
			if (err == nil) != (tt.kind == -1) || err != nil && fault.KindOf(err) != tt.kind || calls != tt.calls {
				t.Errorf("%v (%v) after %d calls", err, fault.KindOf(err), calls)
			}
		})
	}
}

func TestMemo(t *testing.T) {
	m := newMemo[int]()
	reads := 0
	read := func(err error) func() (int, error) {
		return func() (int, error) { reads++; return reads, err }
	}
	get := func(f func() (int, error)) (int, error) {
		return m.get(t.Context(), func(context.Context) (int, error) { return f() })
	}
	if _, err := get(read(io.EOF)); err != io.EOF {
		t.Error(err)
	}
	for range 2 {
		if got, err := get(read(nil)); got != 2 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
}
