package ghfake

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-github/v62/github"
)

const repoPath = "/repos/octo-org/shop"

func TestConditionalRequestsAreFree(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	first := w.do(get, repoPath+"/pulls/1", token, "")
	tag := first.header.Get("ETag")
	if tag == "" || first.header.Get("X-RateLimit-Used") != "1" || first.header.Get("X-RateLimit-Limit") != "5000" || first.header.Get("X-RateLimit-Remaining") != "4999" {
		t.Fatalf("headers %v", first.header)
	}
	again := w.do(get, repoPath+"/pulls/1", token, "", "If-None-Match: "+tag)
	if again.status != http.StatusNotModified || len(again.body) != 0 || again.header.Get("X-RateLimit-Used") != "1" || again.header.Get("ETag") != tag {
		t.Errorf("%d with %d bytes, headers %v", again.status, len(again.body), again.header)
	}
	w.srv.EditPull(w.pull, "Changed", "", "alice")
	changed := w.do(get, repoPath+"/pulls/1", token, "", "If-None-Match: "+tag)
	if changed.status != 200 || changed.header.Get("ETag") == tag || changed.header.Get("X-RateLimit-Used") != "2" {
		t.Errorf("%d, headers %v", changed.status, changed.header)
	}
}

func TestPrimaryLimit(t *testing.T) {
	for _, status := range []int{0, http.StatusTooManyRequests} {
		w := newWorld(t)
		c := w.client()
		token := w.token("")
		w.srv.SetLimits(Limits{Primary: 2, Status: status})
		for range 2 {
			w.do(get, repoPath, token, "").want(t, 200)
		}
		r := w.do(get, repoPath, token, "")
		r.want(t, max(status, 403), "API rate limit exceeded for installation ID")
		if r.header.Get("X-RateLimit-Remaining") != "0" || r.header.Get("X-RateLimit-Reset") != strconv.FormatInt(w.clock.Now().Add(time.Hour).Unix(), 10) {
			t.Errorf("headers %v", r.header)
		}
		if status == 0 {
			_, _, err := c.Repositories.Get(context.Background(), "octo-org", "shop")
			if _, is := errors.AsType[*github.RateLimitError](err); !is {
				t.Errorf("go-github sees %v, want a RateLimitError", err)
			}
		}
		w.do(get, "/rate_limit", token, "").want(t, 200, `"remaining":0`) // asking is free
		w.do(get, "/app", w.jwt(), "").want(t, 200)                       // others have their own
		w.clock.advance(time.Hour)
		w.do(get, repoPath, w.token(""), "").want(t, 200)
	}
}

func TestSecondaryLimits(t *testing.T) {
	w := newWorld(t)
	token, c := w.token(""), w.client()
	comment := func() reply { return w.do(post, repoPath+"/issues/1/comments", token, `{"body":"x"}`) }

	w.srv.SetLimits(Limits{ContentPerMinute: 2, ContentPerHour: 3})
	comment().want(t, 201)
	w.clock.advance(20 * time.Second)
	comment().want(t, 201)
	r := comment()
	r.want(t, 403, secondaryNotice)
	if got := r.header.Get("Retry-After"); got != "40" {
		t.Errorf("Retry-After %q, want 40", got)
	}
	w.do(get, repoPath, token, "").want(t, 200) // reading goes on
	_, _, err := c.Issues.CreateComment(context.Background(), "octo-org", "shop", 1, &github.IssueComment{Body: github.String("x")})
	if _, is := errors.AsType[*github.AbuseRateLimitError](err); !is {
		t.Errorf("go-github sees %v, want an AbuseRateLimitError", err)
	}
	w.clock.advance(40 * time.Second)
	comment().want(t, 201)
	comment().want(t, 403) // the hour is used up
	if n := len(w.srv.Comments(w.pull)); n != 3 {
		t.Errorf("%d comments, want 3", n)
	}

	w.srv.SetLimits(Limits{Points: 6, Status: 429, RetryAfter: 7 * time.Second})
	comment().want(t, 201) // 5 points
	w.do(get, repoPath, token, "").want(t, 200)
	r = w.do(get, repoPath, token, "")
	r.want(t, 429)
	if got := r.header.Get("Retry-After"); got != "7" {
		t.Errorf("Retry-After %q, want 7", got)
	}
	w.srv.SetLimits(Limits{Points: 1, RetryAfter: -1})
	w.do(get, repoPath, token, "").want(t, 200)
	if r := w.do(get, repoPath, token, ""); r.status != 403 || r.header.Get("Retry-After") != "" {
		t.Errorf("%d with Retry-After %q, want none", r.status, r.header.Get("Retry-After"))
	}
}

func TestConcurrentLimit(t *testing.T) {
	w := newWorld(t)
	l := newLimiter(GitHubLimits(), w.clock.Now)
	l.limits.Concurrent = 1
	req, err := http.NewRequestWithContext(context.Background(), get, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &call{s: w.srv, req: req, route: &matcher{}}
	release, err := l.admit(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.admit(c); err == nil {
		t.Error("two at once")
	}
	release()
	if _, err := l.admit(c); err != nil {
		t.Error(err)
	}
}
