// Package llm asks language models. It has one small interface, [Model], and
// behind it three wire formats on net/http (OpenAI chat completions, Anthropic
// messages, Gemini generateContent), chains of models that stand in for each
// other, structured answers held to a JSON schema, and what a call cost.
//
// A call meets in this order: the chain of its alias, the provider's places
// (fair between accounts), the guard of the model (rate limit, breaker,
// deadline; no retries), the ladder of what the endpoint can do, the wire.
// Every error has a fault.Kind, and none holds the key, the prompt, or what
// the provider said.
//
// What is asked, what may be believed of the answer, and what a repository may
// spend is left to the agents; which models there are, to the operator. Amazon
// Bedrock is reached through its OpenAI-compatible endpoint alone: there is no
// request signing here.
package llm

import (
	"context"
	"encoding/json"
)

// Model answers requests. It is safe for concurrent use.
type Model interface {
	// Name is what it is called in settings and reports: an alias, or
	// "provider/model".
	Name() string
	// Complete asks the model. With an error there may still have been usage:
	// see [UsageOf].
	Complete(ctx context.Context, req Request) (Response, error)
}

// Request is one request to a model.
type Request struct {
	// System is the instruction that stands above the messages.
	System string
	// Messages are the conversation; they begin with the user's.
	Messages []Message
	// Tools are what the model may call. The caller runs them and sends the
	// results in its next request.
	Tools []Tool
	// Schema, if set, is what the final answer must fit: Response.JSON is then
	// that answer. It is asked of the provider in the strongest form that the
	// endpoint is known to take; only [Structured] also holds the answer to it.
	Schema *Schema
	// MaxTokens bounds the answer; 0 is 4096. An answer that does not fit is an
	// *[AnswerError].
	MaxTokens int
	// Temperature is left to the provider when nil, and where it takes none.
	Temperature *float64
	// CacheSystem says that the tools and System will be sent again unchanged,
	// so that a provider which charges for it should remember them.
	CacheSystem bool
	// Account is whom the call is for, as "installation/42". Calls of several
	// accounts that wait for a place at a provider get one in turn.
	Account string
}

// Role is who says a message.
type Role string

// The roles.
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn of a conversation.
type Message struct {
	Role  Role   `json:"role"`
	Parts []Part `json:"parts"`
	// Cache says that the conversation up to the end of this message will be
	// sent again unchanged. The last three such messages count.
	Cache bool `json:"cache,omitempty"`
}

// Part is a piece of a message: exactly one of Text, Call and Result is set, or
// none of them in a part that means something only to the provider.
type Part struct {
	Text   string      `json:"text,omitempty"`
	Call   *ToolCall   `json:"call,omitempty"`
	Result *ToolResult `json:"result,omitempty"`
	// Raw is the part as the provider wrote it: thinking blocks and signatures
	// must be sent back as they came. It is used in place of the other fields
	// when the conversation goes back to Origin, and left out elsewhere.
	Raw    json.RawMessage `json:"raw,omitempty"`
	Origin string          `json:"origin,omitempty"`
}

// Tool is something the model may call.
type Tool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// Parameters is the JSON schema of the arguments, an object.
	Parameters json.RawMessage `json:"parameters"`
}

// ToolCall is a call that the model asks for. It is a stranger's word: the name
// may be of no tool, the arguments may fit no schema.
type ToolCall struct {
	// ID ties the result to the call; made up here where the provider gives
	// none.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Arguments is valid JSON; what was not is a JSON string of it.
	Arguments json.RawMessage `json:"arguments"`
}

// ToolResult is what a call came to.
type ToolResult struct {
	CallID  string `json:"call_id"`
	Name    string `json:"name"`
	Content string `json:"content"`
	// Failed says that Content tells what went wrong.
	Failed bool `json:"failed,omitempty"`
}

// Response is a model's answer.
type Response struct {
	// Text is all text of the answer.
	Text string `json:"text,omitempty"`
	// Calls are the tools it wants called, in order.
	Calls []ToolCall `json:"calls,omitempty"`
	// JSON is the answer to a request with a Schema: found in the text, or
	// nil where there is none. Whether it fits the schema is not yet known.
	JSON json.RawMessage `json:"json,omitempty"`
	// Parts are the answer as it is to be sent back.
	Parts []Part     `json:"parts,omitempty"`
	Stop  StopReason `json:"stop"`
	Usage Usage      `json:"usage"`
	// Model is the "provider/model" that was asked, and Answered what the
	// provider says has answered, often a dated name of the same.
	Model    string `json:"model"`
	Answered string `json:"answered,omitempty"`
	// Failed are the models of the chain that were tried before.
	Failed []Failed `json:"failed,omitempty"`
}

// Message is the answer as a message, for the next request.
func (r Response) Message() Message { return Message{Role: Assistant, Parts: r.Parts} }

// Failed is a model of a chain that did not answer.
type Failed struct {
	Model string `json:"model"`
	// Reason is fit to be shown.
	Reason string `json:"reason"`
}

// StopReason says why an answer ended.
type StopReason string

// The reasons. The last three never come with a Response but in an
// *[AnswerError].
const (
	StopEnd   StopReason = "end"
	StopTools StopReason = "tools"
	// StopLength is an answer that MaxTokens cut.
	StopLength StopReason = "length"
	// StopRefusal is a model that will not answer, StopFilter a provider that
	// will not let it.
	StopRefusal StopReason = "refusal"
	StopFilter  StopReason = "filter"
)

// Say is a message of the user's with one text.
func Say(text string) Message { return Message{Role: User, Parts: []Part{{Text: text}}} }

// Results is the message that answers tool calls.
func Results(results ...ToolResult) Message {
	m := Message{Role: User}
	for _, r := range results {
		m.Parts = append(m.Parts, Part{Result: &r})
	}
	return m
}
