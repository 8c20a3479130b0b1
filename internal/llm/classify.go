package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"assay/internal/fault"
)

// quotaWait is how long an account without money or quota is left alone. It is
// package guard's longest.
const quotaWait = time.Hour

// refusedError is a request that the provider did not understand. hint is what
// it said, in lower case: it is looked into, and never shown.
type refusedError struct {
	model  string
	status int
	hint   string
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("%s did not accept the request (%d)", e.model, e.status)
}

// unescaped undoes what JSON encoders do to signs that refusals are known by.
var unescaped = strings.NewReplacer(`\u003e`, ">", `\u003c`, "<", `\"`, `"`)

// statusError classifies an answer with another status than 200.
func statusError(model string, status int, h http.Header, body []byte, now time.Time) error {
	hint := strings.ToLower(unescaped.Replace(string(body)))
	if status == http.StatusBadRequest || status == http.StatusUnprocessableEntity {
		status = betterStatus(status, hint)
	}
	say := func(what string) error { return fmt.Errorf("%s %s (%d)", model, what, status) }
	wait := retryAfter(h, body, now)
	switch {
	case isQuota(status, hint):
		return fault.Until(fault.RateLimited, later(wait, now.Add(quotaWait)), &QuotaError{Model: model, Until: later(wait, now.Add(quotaWait))})
	case status == http.StatusTooManyRequests:
		return fault.Until(fault.RateLimited, wait, say("is rate limited"))
	case status == http.StatusUnauthorized:
		return fault.New(fault.Unauthorized, say("does not accept the key"))
	case status == http.StatusForbidden:
		return fault.New(fault.Unauthorized, say("is not allowed for this key"))
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusGone:
		return fault.New(fault.Unauthorized, say("is not known at its address, or not for this key"))
	case status == http.StatusRequestEntityTooLarge || isTooLong(status, hint):
		return fault.New(fault.Invalid, tooLong(model, hint))
	case isFiltered(status, hint):
		return fault.New(fault.Invalid, &AnswerError{Model: model, Reason: StopFilter, Response: Response{Model: model, Stop: StopFilter}})
	case status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooEarly:
		return fault.Until(fault.Transient, wait, say("did not take the request in time"))
	case status >= 400 && status < 500:
		return fault.New(fault.Invalid, &refusedError{model: model, status: status, hint: hint})
	case status >= 500:
		return fault.Until(fault.Transient, wait, say("is in trouble"))
	case status >= 300 && status < 400:
		return fault.New(fault.Transient, say("answers with a redirect, which is not followed"))
	default:
		return fault.New(fault.Transient, say("answers with a status that means nothing"))
	}
}

// betterStatus is what some providers' 400 means.
func betterStatus(status int, hint string) int {
	switch {
	case strings.Contains(hint, "api_key_invalid") || strings.Contains(hint, "api key not valid"): // Gemini
		return http.StatusUnauthorized
	case strings.Contains(hint, "credit balance is too low"): // Anthropic
		return http.StatusPaymentRequired
	}
	return status
}

func isQuota(status int, hint string) bool {
	if status == http.StatusPaymentRequired {
		return true
	}
	if status != http.StatusTooManyRequests && status != http.StatusForbidden {
		return false
	}
	for _, word := range []string{"insufficient_quota", "insufficient balance", "insufficient_balance", "billing_hard_limit", "exceeded your current quota, please check your plan and billing", "credit balance"} {
		// Gemini says the same of a minute's quota; it then names the wait.
		if strings.Contains(hint, word) && !strings.Contains(hint, "retrydelay") {
			return true
		}
	}
	return false
}

func isTooLong(status int, hint string) bool {
	if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		return false
	}
	for _, words := range []string{
		"context_length_exceeded", "maximum context length", "prompt is too long", "input token count", "context window", "too many tokens",
		"exceeds the context", "exceed context", "context size", "input is too long", "exceeds the maximum number of tokens",
	} {
		if strings.Contains(hint, words) {
			return true
		}
	}
	return false
}

func isFiltered(status int, hint string) bool {
	return status == http.StatusBadRequest && (strings.Contains(hint, "content_filter") || strings.Contains(hint, "responsibleaipolicyviolation") ||
		strings.Contains(hint, "content management policy"))
}

// limitWords find the numbers in a refusal of a request that is too long.
var limitWords = []*regexp.Regexp{
	regexp.MustCompile(`maximum context length is (?P<limit>\d{3,9}) tokens.{0,80}?(?:resulted in|requested) (?P<sent>\d{3,9}) tokens`), // OpenAI, vLLM
	regexp.MustCompile(`(?P<sent>\d{3,9}) tokens > (?P<limit>\d{3,9}) maximum`),                                                         // Anthropic
	regexp.MustCompile(`input token count \(?(?P<sent>\d{3,9})\)? exceeds the maximum number of tokens allowed \(?(?P<limit>\d{3,9})`),  // Gemini
	regexp.MustCompile(`maximum context length is (?P<limit>\d{3,9})`),
}

func tooLong(model, hint string) *TooLongError {
	e := &TooLongError{Model: model}
	for _, words := range limitWords {
		if m := words.FindStringSubmatch(hint); m != nil {
			e.Limit, _ = strconv.Atoi(m[words.SubexpIndex("limit")])
			if i := words.SubexpIndex("sent"); i > 0 {
				e.Sent, _ = strconv.Atoi(m[i])
			}
			return e
		}
	}
	return e
}

// retryDelay is Google's RetryInfo in an error's body.
var retryDelay = regexp.MustCompile(`"retryDelay":\s*"(\d{1,6})(?:\.\d+)?s"`)

// retryAfter is the time at which the provider wants to be asked again; zero
// where it does not say (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
func retryAfter(h http.Header, body []byte, now time.Time) time.Time {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return now.Add(time.Duration(seconds * float64(time.Second)))
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at
	}
	if m := retryDelay.FindSubmatch(body); m != nil {
		seconds, _ := strconv.Atoi(string(m[1])) // digits alone
		return now.Add(time.Duration(seconds) * time.Second)
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wireError is an error in place of an answer, or in the middle of a stream. All
// three dialects, and those who speak them, have about this form.
type wireError struct {
	Type   string          `json:"type"`
	Status string          `json:"status"`
	Code   json.RawMessage `json:"code"`
}

// statuses are the statuses that errors in a stream would have had.
var statuses = map[string]int{
	"invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403, "not_found_error": 404,
	"request_too_large": 413, "rate_limit_error": 429, "api_error": 500, "timeout_error": 504, "overloaded_error": 529,
	"insufficient_quota": 402, "rate_limit_exceeded": 429, "context_length_exceeded": 400, "server_error": 500, "content_filter": 400,
	"invalid_argument": 400, "failed_precondition": 400, "unauthenticated": 401, "permission_denied": 403, "not_found": 404,
	"resource_exhausted": 429, "internal": 500, "unavailable": 503, "deadline_exceeded": 504,
}

// streamError classifies the error object of an answer that began well.
func streamError(model string, data []byte) error {
	var e wireError
	if json.Unmarshal(data, &e) != nil {
		e = wireError{} // a string, mostly: its words still count below
	}
	status := http.StatusInternalServerError
	code := strings.Trim(string(bytes.TrimSpace(e.Code)), `"`)
	for _, name := range []string{e.Status, e.Type, code} {
		if known, ok := statuses[strings.ToLower(name)]; ok {
			status = known
		}
	}
	if n, err := strconv.Atoi(code); err == nil && n >= 400 && n < 600 {
		status = n
	}
	return statusError(model, status, nil, data, time.Now())
}
