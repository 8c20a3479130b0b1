package ghapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
)

const (
	// maxRefusal is how much of a refusal's body is read, in bytes, and
	// maxMessage how much of GitHub's words goes into an error.
	maxRefusal = 64 << 10
	maxMessage = 300
	// limitLongest caps any wait, against a header gone wrong: primary limits
	// are reset within the hour.
	limitLongest = time.Hour
)

// answerError is GitHub's refusal of a request.
type answerError struct {
	status  int
	message string
	// skew is how far GitHub's clock was ahead of ours in this answer.
	skew time.Duration
	// rate is what the refusal said of the budget.
	rate rate
}

func (e *answerError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("GitHub answered %d %s", e.status, http.StatusText(e.status))
	}
	return fmt.Sprintf("GitHub answered %d: %s", e.status, e.message)
}

func hasStatus(err error, statuses ...int) bool {
	answer, ok := errors.AsType[*answerError](err)
	return ok && slices.Contains(statuses, answer.status)
}

// classifyAnswer makes the error of an answer with a status of 400 or more.
// credential is the Authorization header that was sent; it is struck out of
// whatever GitHub says.
func classifyAnswer(resp *http.Response, credential string, now time.Time, skew time.Duration) error {
	e := &answerError{status: resp.StatusCode, message: messageOf(resp, credential), skew: skew, rate: rateOf(resp, now)}
	low := strings.ToLower(e.message)
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized:
		if wrongClock(low) {
			e.message += fmt.Sprintf(" (this machine's clock is %s)", describeSkew(skew))
		}
		return fault.New(fault.Unauthorized, e)
	case s == http.StatusTooManyRequests, s == http.StatusForbidden && limited(resp, low):
		return fault.Until(fault.RateLimited, limitEnd(resp, now), e)
	case s == http.StatusForbidden && strings.Contains(low, "suspended"):
		return fault.New(fault.Gone, e)
	case s == http.StatusForbidden:
		if missing := resp.Header.Get("X-Accepted-GitHub-Permissions"); missing != "" {
			e.message += fmt.Sprintf(" (needs permission %s)", shorten(missing))
		}
		return fault.New(fault.Unauthorized, e)
	case s == http.StatusNotFound, s == http.StatusGone, s == http.StatusUnavailableForLegalReasons:
		return fault.New(fault.Gone, e)
	case s == http.StatusRequestTimeout, s == http.StatusUnprocessableEntity && strings.Contains(low, "no commit found for sha"):
		// A push to a fork is announced before its commit can be reached from
		// the repository that it was forked from; moments later it can.
		return fault.New(fault.Transient, e)
	case s >= http.StatusInternalServerError:
		if d, ok := retryAfter(resp, now); ok {
			return fault.Until(fault.Transient, now.Add(d), e)
		}
		return fault.New(fault.Transient, e)
	default:
		return fault.New(fault.Invalid, e)
	}
}

// limited tells a rate limit from a missing permission, both of which are 403.
func limited(resp *http.Response, message string) bool {
	switch {
	case strings.Contains(message, "not accessible by"):
		return false // whatever the counters happen to say
	case strings.Contains(message, "rate limit"), strings.Contains(message, "abuse detection"):
		return true
	}
	return resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0"
}

// limitEnd is when a rate limit ends by our clock; zero when GitHub does not
// say so, and the guard knows what to do.
func limitEnd(resp *http.Response, now time.Time) time.Time {
	wait, timed := retryAfter(resp, now)
	if !timed && resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if unix, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			wait = time.Unix(unix, 0).Sub(sentAt(resp, now))
			timed = wait > 0
		}
	}
	if !timed {
		return time.Time{}
	}
	return now.Add(min(wait, limitLongest))
}

// retryAfter reads Retry-After in both its forms
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
func retryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	v := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if v == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(limitLongest/time.Second))) * time.Second, true
	}
	if date, err := http.ParseTime(v); err == nil {
		return min(max(date.Sub(sentAt(resp, now)), 0), limitLongest), true
	}
	return 0, false
}

// sentAt is the time of the answer by GitHub's clock: what it says of times is
// compared with that, since our clock may be wrong.
func sentAt(resp *http.Response, now time.Time) time.Time {
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		return date
	}
	return now
}

func wrongClock(message string) bool {
	return strings.Contains(message, "('exp')") || strings.Contains(message, "('iat')")
}

func describeSkew(skew time.Duration) string {
	switch {
	case skew.Abs() <= skewTolerated:
		return "in step with GitHub's"
	case skew > 0:
		return skew.Round(time.Second).String() + " behind GitHub's"
	default:
		return (-skew).Round(time.Second).String() + " ahead of GitHub's"
	}
}

// messageOf reads what GitHub says in a refusal, shortened.
func messageOf(resp *http.Response, credential string) string {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil && len(raw) == 0 {
		return ""
	}
	var body struct {
		Message string         `json:"message"`
		Errors  []refusalError `json:"errors"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return "" // a page of a proxy: nothing a reader could use
	}
	message := body.Message
	for _, e := range body.Errors {
		message += "; " + e.text
	}
	return shorten(censor(message, credential))
}

// censor strikes out of a message the Authorization header that was sent.
func censor(message, credential string) string {
	if _, secret, ok := strings.Cut(credential, " "); ok && secret != "" {
		return strings.ReplaceAll(message, secret, "[token]")
	}
	return message
}

// refusalError is one entry of a refusal's list of errors, which GitHub writes
// as an object or as a plain string.
type refusalError struct{ text string }

// UnmarshalJSON reads either form.
func (e *refusalError) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &e.text) == nil {
		return nil
	}
	var fields struct{ Resource, Field, Code, Message string }
	if json.Unmarshal(raw, &fields) != nil {
		e.text = string(raw)
		return nil
	}
	e.text = strings.Join(strings.Fields(strings.Join([]string{fields.Resource, fields.Field, fields.Code, fields.Message}, " ")), " ")
	return nil
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// classifyTransport classifies a failure to exchange a request and its answer.
// A caller's cancelling stays what it is.
func classifyTransport(err error) error {
	if errors.Is(err, context.Canceled) || classified(err) {
		return err
	}
	return fault.New(fault.Transient, fmt.Errorf("the connection to GitHub failed: %w", err))
}

// classifyCall classifies what came out of a call through go-github or
// ghinstallation. ctx is the caller's own context, without the call's deadline.
func classifyCall(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = bare(err)
	if classified(err) {
		return err
	}
	// go-github refuses calls by itself when it remembers a limit.
	if e, ok := errors.AsType[*github.RateLimitError](err); ok {
		return fault.Until(fault.RateLimited, e.Rate.Reset.Time, err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Transient, fmt.Errorf("no answer in time: %w", err))
	case undecodable(err):
		return fault.New(fault.Transient, fmt.Errorf("GitHub's answer cannot be read: %w", err))
	case is[*github.ErrorResponse](err), is[*github.AcceptedError](err):
		// Statuses below 400 that are no success: nothing the API documents.
		return fault.New(fault.Transient, err)
	}
	return fault.New(fault.Internal, err)
}

func undecodable(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || is[*json.SyntaxError](err) || is[*json.UnmarshalTypeError](err) || is[*time.ParseError](err)
}

func classified(err error) bool { return is[*fault.Error](err) }

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// bare takes off the wrappings of net/http and ghinstallation, which repeat
// what our own say better.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*ghinstallation.HTTPError](err); ok && e.RootCause != nil {
		return e.RootCause
	}
	return err
}

// incomplete is the error of an answer that decodes and says nothing: "{}" and
// "null" do. got says what GitHub sent.
func incomplete(got string) error {
	return fault.New(fault.Transient, fmt.Errorf("GitHub's answer cannot be used: it has %s", got))
}
