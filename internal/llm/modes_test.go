package llm

import (
	"cmp"
	"errors"
	"strings"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/llmfake"
)

// answerError expects an *AnswerError with the reason.
func answerError(reason StopReason) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*AnswerError](err)
		return ok && e.Reason == reason
	}
}

// TestModes is what becomes of each thing a server may do, in each dialect:
// rows L1 to L4 of the fault matrix, at this level.
func TestModes(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name string
		step llmfake.Step
		kind fault.Kind
		ok   bool
		says string
		is   func(error) bool
		// wait is the least that RetryAt is ahead.
		wait time.Duration
		// first, idle and call are limits; none to speak of if 0.
		first, idle, call time.Duration
	}{
		{name: "good", ok: true},
		{name: "good, not streamed", step: llmfake.Step{Whole: true}, ok: true},
		{name: "good, thinking", step: llmfake.Step{Thinking: "hm, what is this"}, ok: true},
		{name: "good, without usage", step: llmfake.Step{NoUsage: true}, ok: true},
		{name: "slow", step: llmfake.Step{Mode: llmfake.Slow, Delay: 20 * ms}, ok: true},
		{name: "drip that ends", step: llmfake.Step{Mode: llmfake.Drip, Text: "ok"}, ok: true},
		{name: "empty", step: llmfake.Step{Mode: llmfake.Empty}, ok: true},
		{name: "hang before the answer", step: llmfake.Step{Mode: llmfake.HangHeaders}, kind: fault.Transient, first: 300 * ms, says: "no answer began within 300ms"},
		{name: "hang in the answer", step: llmfake.Step{Mode: llmfake.HangStream}, kind: fault.Transient, idle: 200 * ms, says: "stopped coming for 200ms"},
		{name: "drip of bytes without end", step: llmfake.Step{Mode: llmfake.Drip, Delay: 50 * ms}, kind: fault.Transient, idle: 200 * ms, first: 500 * ms},
		{name: "signs of life without end", step: llmfake.Step{Mode: llmfake.Ping, Delay: 10 * ms}, kind: fault.Transient, call: 700 * ms, says: "no answer within 700ms"},
		{name: "cut connection", step: llmfake.Step{Mode: llmfake.Cut}, kind: fault.Transient, says: "cut"},
		{name: "stream without its end", step: llmfake.Step{Mode: llmfake.Truncated}, kind: fault.Transient, says: "cut before its end"},
		{name: "reset", step: llmfake.Step{Mode: llmfake.Reset}, kind: fault.Transient, says: "connection"},
		{name: "429", step: llmfake.Step{Mode: llmfake.RateLimited}, kind: fault.RateLimited, says: "rate limited", wait: 50 * time.Second},
		{name: "429 with Retry-After", step: llmfake.Step{Mode: llmfake.RateLimited, RetryAfter: "7"}, kind: fault.RateLimited, wait: 6 * time.Second},
		{name: "overloaded", step: llmfake.Step{Mode: llmfake.Overloaded}, kind: fault.Transient, says: "trouble"},
		{name: "overloaded with Retry-After", step: llmfake.Step{Mode: llmfake.Overloaded, RetryAfter: "9"}, kind: fault.Transient, wait: 8 * time.Second},
		{name: "quota", step: llmfake.Step{Mode: llmfake.Quota}, kind: fault.RateLimited, says: "quota", wait: 59 * time.Minute, is: func(err error) bool {
			_, ok := errors.AsType[*QuotaError](err)
			return ok
		}},
		{name: "bad key", step: llmfake.Step{Mode: llmfake.BadKey}, kind: fault.Unauthorized, says: "key"},
		{name: "no such model", step: llmfake.Step{Mode: llmfake.NoModel}, kind: fault.Unauthorized, says: "not known"},
		{name: "403 that repeats all", step: llmfake.Step{Mode: llmfake.Status, Status: 403}, kind: fault.Unauthorized},
		{name: "500 that repeats all", step: llmfake.Step{Mode: llmfake.Status, Status: 500}, kind: fault.Transient, says: "500"},
		{name: "418 that repeats all", step: llmfake.Step{Mode: llmfake.Status, Status: 418}, kind: fault.Invalid, says: "418"},
		{name: "413", step: llmfake.Step{Mode: llmfake.Status, Status: 413}, kind: fault.Invalid, says: "longer than"},
		{name: "too long", step: llmfake.Step{Mode: llmfake.TooLong}, kind: fault.Invalid, is: func(err error) bool {
			e, ok := errors.AsType[*TooLongError](err)
			return ok && e.Limit >= 8192 && e.Sent > e.Limit
		}},
		{name: "a page", step: llmfake.Step{Mode: llmfake.HTML}, kind: fault.Transient},
		{name: "garbage", step: llmfake.Step{Mode: llmfake.Garbage}, kind: fault.Transient, says: "not what this API"},
		{name: "error in the stream", step: llmfake.Step{Mode: llmfake.StreamError}, kind: fault.Transient, says: "trouble"},
		{name: "5 MB", step: llmfake.Step{Mode: llmfake.Huge}, kind: fault.Transient, says: "over 5 MiB"},
		{name: "5 MB at once", step: llmfake.Step{Mode: llmfake.Huge, Whole: true}, kind: fault.Transient, says: "over 5 MiB"},
		{name: "cut by length", step: llmfake.Step{Mode: llmfake.Length}, kind: fault.Invalid, is: answerError(StopLength), says: "cut after"},
		{name: "filtered", step: llmfake.Step{Mode: llmfake.Filtered}, kind: fault.Invalid, is: func(err error) bool {
			_, ok := errors.AsType[*AnswerError](err)
			return ok
		}},
		{name: "refusal", step: llmfake.Step{Mode: llmfake.Refusal}, kind: fault.Invalid, is: func(err error) bool {
			_, ok := errors.AsType[*AnswerError](err)
			return ok
		}},
		{name: "redirect", step: llmfake.Step{Mode: llmfake.Redirect, Location: "http://127.0.0.1:1/"}, kind: fault.Transient, says: "redirect"},
	}
	for _, d := range dialects {
		for _, tt := range tests {
			t.Run(string(d)+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				fake, models := world(t, func(c *Config) {
					c.FirstByte, c.Idle, c.CallTimeout = cmp.Or(tt.first, time.Minute), cmp.Or(tt.idle, time.Minute), tt.call
				})
				fake.Script(tt.step)
				began := time.Now()
				resp, err := alias(t, models, string(d)).Complete(t.Context(), Request{System: "You review. " + promptCanary, Messages: []Message{Say(diffPrompt)}})
				noCanary(t, err)
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("took %v: no limit of a minute is to be reached", took)
				}
				if tt.ok {
					if err != nil {
						t.Fatal(err)
					}
					checkGood(t, string(d), tt.step, resp)
					return
				}
				if err == nil {
					t.Fatalf("no error, but %+v", resp)
				}
				if got := fault.KindOf(err); got != tt.kind {
					t.Errorf("kind %v, want %v: %v", got, tt.kind, err)
				}
				if !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %q does not say %q", err, tt.says)
				}
				if tt.is != nil && !tt.is(err) {
					t.Errorf("error %T %v is not the one wanted", err, err)
				}
				if tt.wait > 0 && time.Until(fault.RetryAt(err)) < tt.wait {
					t.Errorf("to be tried again in %v, want in %v", time.Until(fault.RetryAt(err)), tt.wait)
				}
				if n := len(fake.Requests()); n != 1 {
					t.Errorf("%d requests, want 1: this package does not retry", n)
				}
			})
		}
	}
}

func checkGood(t *testing.T, model string, step llmfake.Step, resp Response) {
	t.Helper()
	switch {
	case step.Mode == llmfake.Empty:
		if resp.Text != "" {
			t.Errorf("text %q of an empty answer", resp.Text)
		}
	case step.Text != "" && resp.Text != step.Text:
		t.Errorf("text %q, want %q", resp.Text, step.Text)
	case step.Text == "" && !strings.Contains(resp.Text, "builds SQL"):
		t.Errorf("text %q", resp.Text)
	}
	if resp.Stop != StopEnd || resp.Model != model+"/m" || !strings.HasPrefix(resp.Answered, "m-") {
		t.Errorf("stop %s, model %s, answered %s", resp.Stop, resp.Model, resp.Answered)
	}
	u := resp.Usage
	if u.Calls != 1 || u.Input == 0 || u.Output == 0 && step.Mode != llmfake.Empty || u.Estimated != step.NoUsage || u.USD != nil {
		t.Errorf("usage %+v", u)
	}
}
