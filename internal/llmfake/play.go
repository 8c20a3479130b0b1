package llmfake

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// play is one request being answered.
type play struct {
	w       http.ResponseWriter
	r       *http.Request
	req     Request
	step    Step
	dialect dialect
	closed  <-chan struct{}
}

// answer is what is said, in no format yet.
type answer struct {
	thinking string
	text     string
	calls    []Call
	stop     stop
	input    int
	cached   int
	output   int
	noUsage  bool
	sloppy   bool
}

type stop int

const (
	stopEnd stop = iota
	stopTools
	stopLength
	stopRefusal
	stopFilter
)

// refusal is an error as the formats write it.
type refusal struct {
	status  int
	kind    string // in OpenAI's and Anthropic's words
	code    string
	message string
}

func (p *play) run() {
	if p.step.Hold != nil {
		select {
		case <-p.step.Hold:
		case <-p.r.Context().Done():
		case <-p.closed:
		}
	}
	if p.step.RetryAfter != "" {
		p.w.Header().Set("Retry-After", p.step.RetryAfter)
	}
	if r, ok := p.refusal(); ok {
		p.json(r.status, p.dialect.refuse(r))
		return
	}
	switch p.step.Mode {
	case HangHeaders:
		p.hang()
	case Reset:
		panic(http.ErrAbortHandler)
	case Redirect:
		http.Redirect(p.w, p.r, p.step.Location, http.StatusTemporaryRedirect)
	case HTML:
		p.w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(p.w, "<html><body>We will be back soon.</body></html>")
	case Garbage:
		p.events([]string{`{"nothing": `, "\x00\xff", `[1,2`})
	case Ping:
		p.ping()
	case Slow:
		if p.pause(p.step.Delay) {
			p.say()
		}
	default:
		p.say()
	}
}

// refusal is the error that the step's mode means.
func (p *play) refusal() (refusal, bool) {
	switch p.step.Mode {
	case RateLimited:
		return refusal{429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached."}, true
	case Overloaded:
		return refusal{p.dialect.overloaded(), "overloaded_error", "overloaded", "Overloaded."}, true
	case Quota:
		return p.dialect.quota(), true
	case BadKey:
		return refusal{401, "authentication_error", "invalid_api_key", "Incorrect API key provided: " + p.key()}, true
	case NoModel:
		return refusal{404, "not_found_error", "model_not_found", "The model " + p.req.Model + " does not exist."}, true
	case TooLong:
		return refusal{400, "invalid_request_error", "context_length_exceeded", p.dialect.tooLong()}, true
	case Status:
		return refusal{p.step.Status, "api_error", p.key(), "Failed for " + p.key() + ": " + p.req.System + p.req.Prompt}, true
	case NoFormat:
		if p.req.JSON || p.req.Schema != nil || p.req.Forced != "" {
			return refusal{400, "invalid_request_error", "unsupported", "Unsupported value: this model does not support " + p.dialect.formatField(p.req)}, true
		}
	}
	return refusal{}, false
}

func (p *play) key() string {
	for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		if key := p.r.Header.Get(name); key != "" {
			return strings.TrimPrefix(key, "Bearer ")
		}
	}
	return ""
}

// compose is the answer that the step's mode means.
func (p *play) compose() answer {
	a := answer{
		thinking: p.step.Thinking, text: p.step.Text, calls: p.step.Calls, noUsage: p.step.NoUsage, sloppy: p.step.Sloppy,
		input: tokens(string(p.req.Body)),
	}
	if a.text == "" && len(a.calls) == 0 {
		switch p.step.Mode {
		case Obedient:
			obey(p.req, &a)
		case WrongSchema:
			a.text = `{"unexpected": [1, 2, {"deeper": null}], "line": 1000000000}`
		case Huge:
			a.text = `{"text": "` + strings.Repeat("all work and no play ", 300_000) + `"}`
		case Refusal:
			a.text = ""
		case Empty:
			a.text = ""
		default:
			good(p.req, &a)
		}
	}
	switch p.step.Mode {
	case Fenced:
		a.text = "Sure, here is what I found:\n\n```json\n" + a.text + "\n```\nLet me know if you need more."
	case Length:
		a.stop, a.text = stopLength, a.text[:len(a.text)/2]
	case Refusal:
		a.stop = stopRefusal
	case Filtered:
		a.stop = stopFilter
	}
	if p.req.Forced != "" && len(a.calls) == 0 && a.text != "" && a.stop == stopEnd {
		name := p.req.Forced
		if name == "*" {
			name = p.req.Tools[len(p.req.Tools)-1].Name
		}
		a.calls, a.text = []Call{{Name: name, Arguments: a.text}}, ""
	}
	if len(a.calls) > 0 && a.stop == stopEnd {
		a.stop = stopTools
	}
	a.output = tokens(a.text + a.thinking)
	for _, c := range a.calls {
		a.output += tokens(c.Name + c.Arguments)
	}
	if a.input > 1024 && p.req.Messages > 1 { // the formats' caches begin at about that
		a.cached = a.input / 2
	}
	return a
}

func (p *play) say() {
	a := p.compose()
	if !p.req.Stream || p.step.Whole {
		p.json(http.StatusOK, p.dialect.whole(p.req, a))
		return
	}
	events := p.dialect.stream(p.req, a)
	switch p.step.Mode {
	case HangStream:
		p.events(events[:len(events)/2])
		p.hang()
	case Cut:
		p.events(events[:len(events)/2])
		panic(http.ErrAbortHandler)
	case Truncated:
		p.events(events[:len(events)/2])
	case StreamError:
		p.events(append(events[:len(events)/2:len(events)/2], p.dialect.streamError(refusal{529, "overloaded_error", "overloaded", "Overloaded: " + p.req.Prompt})))
	case Drip:
		p.drip(events)
	default:
		p.events(events)
	}
}

// events sends whole events, and flushes each.
func (p *play) events(events []string) {
	p.w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range events {
		if _, err := fmt.Fprint(p.w, p.dialect.frame(e)); err != nil {
			return
		}
		p.flush()
	}
}

func (p *play) drip(events []string) {
	p.w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range events {
		for _, b := range []byte(p.dialect.frame(e)) {
			if _, err := p.w.Write([]byte{b}); err != nil {
				return
			}
			p.flush()
			if !p.pause(p.step.Delay) {
				return
			}
		}
	}
}

func (p *play) ping() {
	p.w.Header().Set("Content-Type", "text/event-stream")
	for p.pause(max(p.step.Delay, time.Millisecond)) {
		if _, err := fmt.Fprint(p.w, ": still at it\n\n"); err != nil {
			return
		}
		p.flush()
	}
}

func (p *play) flush() { _ = http.NewResponseController(p.w).Flush() }

func (p *play) json(status int, body string) {
	p.w.Header().Set("Content-Type", "application/json")
	p.w.WriteHeader(status)
	fmt.Fprint(p.w, body)
}
