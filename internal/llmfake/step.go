package llmfake

import (
	"encoding/json"
	"net/http"
	"time"
)

// Mode is what happens to a request.
type Mode int

// The modes. The zero value answers well.
const (
	// Good answers with the step's Text and Calls, or else with what its rules
	// find in the prompt.
	Good Mode = iota
	// Obedient does what instructions in the prompt say, wherever they stand.
	Obedient
	// Slow is Good after Delay.
	Slow
	// Drip is Good with Delay between all pieces, which are one byte each.
	Drip
	// Ping sends signs of life, Delay apart, and no answer.
	Ping
	// HangHeaders never answers.
	HangHeaders
	// HangStream stops in the middle of the stream.
	HangStream
	// Cut ends the connection in the middle of the stream.
	Cut
	// Truncated ends the stream in order, in the middle of the answer.
	Truncated
	// Reset ends the connection without an answer.
	Reset
	// RateLimited is 429, with RetryAfter if that is set.
	RateLimited
	// Overloaded is 529 (503 where the API has none).
	Overloaded
	// Quota says that the account's money is used up.
	Quota
	// BadKey is 401.
	BadKey
	// NoModel is 404.
	NoModel
	// Status is the step's Status with a body that repeats the prompt and the
	// key, as careless gateways do.
	Status
	// TooLong says that the prompt is longer than the context.
	TooLong
	// NoFormat refuses structured answers, and answers well without.
	NoFormat
	// HTML is a gateway's error page with status 200.
	HTML
	// Garbage is a stream of things that are not this API's.
	Garbage
	// StreamError begins well, then sends an error object.
	StreamError
	// WrongSchema is well-formed JSON that fits no schema.
	WrongSchema
	// Fenced is Good with the JSON in a fence among words, whatever was asked.
	Fenced
	// Huge is an answer of more than 5 MB.
	Huge
	// Length says that the answer was cut by its bound.
	Length
	// Refusal is the model's, Filtered the provider's.
	Refusal
	Filtered
	// Redirect sends the client to Location.
	Redirect
	// Empty is an answer with nothing in it.
	Empty
)

// Step is what one request meets.
type Step struct {
	Mode Mode
	// Text is the answer; computed if empty and there are no Calls.
	Text string
	// Calls are the tools to call.
	Calls []Call
	// Delay is what Slow, Drip and Ping wait.
	Delay time.Duration
	// RetryAfter is sent as a header if it is not empty.
	RetryAfter string
	// Status is that of mode Status.
	Status int
	// Location is that of mode Redirect.
	Location string
	// Thinking is a thought that goes before the answer, signed where the
	// format signs them.
	Thinking string
	// NoUsage says nothing of tokens, Whole answers at once though a stream
	// was asked for, Sloppy calls tools without index and ID and says "stop".
	NoUsage, Whole, Sloppy bool
	// Hold, if set, keeps the answer back until it is closed.
	Hold <-chan struct{}
}

// Call is a call of a tool.
type Call struct {
	Name string
	// Arguments are sent as they are.
	Arguments string
}

// Request is a request as it came, and what was understood of it.
type Request struct {
	Dialect string
	Path    string
	Header  http.Header
	Body    []byte

	Model string
	// System and Prompt are all texts, Prompt those of the user and of tools.
	System, Prompt string
	// Messages counts the turns, Results the tools' results among them.
	Messages, Results int
	Tools             []Tool
	// Forced is the tool that must be called; "*" is any.
	Forced string
	// Schema is what the answer must fit; JSON says that it must be JSON.
	Schema    json.RawMessage
	JSON      bool
	MaxTokens int
	Stream    bool
}

// Tool is a tool as it was offered.
type Tool struct {
	Name       string
	Parameters json.RawMessage
}

// tokens is how this server counts.
func tokens(text string) int { return (len(text) + 3) / 4 }
