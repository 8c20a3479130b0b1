package ghapp

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"assay/internal/fault"
)

func TestClassifyAnswer(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		name    string
		status  int
		body    string
		headers []string
		want    fault.Kind
		after   time.Duration // of RetryAt; 0 for none
		says    string
	}{
		{
			"403 primary", 403, `{"message":"API rate limit exceeded for installation ID 7."}`,
			[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(30 * time.Minute)},
			fault.RateLimited, 30 * time.Minute, "rate limit",
		},
		{
			"429 primary", 429, `{"message":"API rate limit exceeded"}`,
			[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(30 * time.Minute)},
			fault.RateLimited, 30 * time.Minute, "rate limit",
		},
		{
			"primary by GitHub's clock", 403, `{"message":"API rate limit exceeded"}`,
			[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(40 * time.Minute), "Date", date(30 * time.Minute)},
			fault.RateLimited, 10 * time.Minute, "",
		},
		{
			"primary whose reset has passed", 403, `{"message":"API rate limit exceeded"}`,
			[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(-time.Minute)},
			fault.RateLimited, 0, "",
		},
		{
			"403 secondary with seconds", 403, `{"message":"You have exceeded a secondary rate limit."}`,
			[]string{"Retry-After", "90", "X-RateLimit-Remaining", "4000"},
			fault.RateLimited, 90 * time.Second, "secondary",
		},
		{"429 secondary with seconds", 429, `{"message":"You have exceeded a secondary rate limit."}`, []string{"Retry-After", "90"}, fault.RateLimited, 90 * time.Second, ""},
		{"secondary with a date", 429, `{}`, []string{"Retry-After", date(2 * time.Minute)}, fault.RateLimited, 2 * time.Minute, ""},
		{"secondary with a date by GitHub's clock", 429, `{}`, []string{"Retry-After", date(-58 * time.Minute), "Date", date(-time.Hour)}, fault.RateLimited, 2 * time.Minute, ""},
		{"secondary without a time", 403, `{"message":"You have exceeded a secondary rate limit."}`, []string{"X-RateLimit-Remaining", "12"}, fault.RateLimited, 0, ""},
		{"secondary in the old words", 403, `{"message":"You have triggered an abuse detection mechanism."}`, nil, fault.RateLimited, 0, ""},
		{"429 and nothing else", 429, ``, nil, fault.RateLimited, 0, "429 Too Many Requests"},
		{"huge Retry-After", 429, `{}`, []string{"Retry-After", "999999999999999999999"}, fault.RateLimited, time.Hour, ""},
		{"huge reset", 403, `{"message":"API rate limit exceeded"}`, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "99999999999"}, fault.RateLimited, time.Hour, ""},
		{"negative Retry-After", 429, `{}`, []string{"Retry-After", "-5"}, fault.RateLimited, 0, ""},
		{"garbage Retry-After", 429, `{}`, []string{"Retry-After", "soon"}, fault.RateLimited, 0, ""},
		{
			"permission", 403, `{"message":"Resource not accessible by integration"}`,
			[]string{"X-Accepted-GitHub-Permissions", "checks=write"},
			fault.Unauthorized, 0, "needs permission checks=write",
		},
		{
			"permission with the last request", 403, `{"message":"Resource not accessible by integration"}`,
			[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Hour)},
			fault.Unauthorized, 0, "not accessible",
		},
		{"suspended", 403, `{"message":"This installation has been suspended"}`, nil, fault.Gone, 0, "suspended"},
		{"bad credentials", 401, `{"message":"Bad credentials"}`, nil, fault.Unauthorized, 0, "Bad credentials"},
		{"not found", 404, `{"message":"Not Found"}`, nil, fault.Gone, 0, "404"},
		{"gone", 410, `{"message":"This issue was deleted"}`, nil, fault.Gone, 0, "deleted"},
		{"legal", 451, `{"message":"Repository access blocked"}`, nil, fault.Gone, 0, "blocked"},
		{
			"invalid", 422, `{"message":"Validation Failed","errors":[{"resource":"CheckRun","field":"annotations","code":"invalid","message":"too many"},"plain words",7]}`,
			nil, fault.Invalid, 0, "Validation Failed; CheckRun annotations invalid too many; plain words; 7",
		},
		{"commit of a fork not there yet", 422, `{"message":"No commit found for SHA: aaa"}`, nil, fault.Transient, 0, "No commit"},
		{"bad request", 400, `{"message":"Problems parsing JSON"}`, nil, fault.Invalid, 0, "parsing"},
		{"conflict", 409, `{"message":"Git Repository is empty."}`, nil, fault.Invalid, 0, "empty"},
		{"500", 500, `<html>`, nil, fault.Transient, 0, "500"},
		{"502", 502, ``, nil, fault.Transient, 0, "502"},
		{"503 with Retry-After", 503, `{}`, []string{"Retry-After", "120"}, fault.Transient, 2 * time.Minute, "503"},
		{"408", 408, ``, nil, fault.Transient, 0, "408"},
		{"echoed token", 403, `{"message":"who is s3cret-token?"}`, nil, fault.Unauthorized, 0, "who is [token]?"},
		{"long words", 422, `{"message":"` + strings.Repeat("é", 5000) + `"}`, nil, fault.Invalid, 0, "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := classifyAnswer(answer(tt.status, tt.body, tt.headers...), "Bearer s3cret-token", now, 0)
			wantKind(t, err, tt.want)
			want := time.Time{}
			if tt.after != 0 {
				want = now.Add(tt.after)
			}
			if got := fault.RetryAt(err); !got.Equal(want) {
				t.Errorf("retry at %v, want %v", got, want)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
			if strings.Contains(err.Error(), "s3cret") || len(err.Error()) > 2*maxMessage || !utf8.ValidString(err.Error()) {
				t.Errorf("error %q", err)
			}
			if !hasStatus(err, tt.status) {
				t.Errorf("status lost")
			}
		})
	}
}

func TestCancelledCallerIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		r := quick(t, Config{Transport: withTokens(func(r *http.Request) (*http.Response, error) {
			calls++
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}).Repository(testInstall, testRepo, ForReading)
		_, err := r.AnnotationCount(ctx, 3)
		if !errors.Is(err, context.Canceled) || classified(err) {
			t.Errorf("error %#v, want the caller's own", err)
		}
		if calls != 1 {
			t.Errorf("%d calls", calls)
		}
	})
}

// TestGoGitHubsOwnLimit holds that a limit which go-github remembers from a
// good answer is one like any other.
func TestGoGitHubsOwnLimit(t *testing.T) {
	reset := time.Now().Add(time.Hour).Truncate(time.Second)
	calls := 0
	r := quick(t, Config{Transport: withTokens(func(*http.Request) (*http.Response, error) {
		calls++
		return answer(200, checkRun, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10)), nil
	})}).Repository(testInstall, testRepo, ForReading)
	if _, err := r.AnnotationCount(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	_, err := r.AnnotationCount(t.Context(), 3)
	wantKind(t, err, fault.RateLimited)
	if !fault.RetryAt(err).Equal(reset) || calls != 1 {
		t.Errorf("retry at %v after %d calls, want %v after 1", fault.RetryAt(err), calls, reset)
	}
}
