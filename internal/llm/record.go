package llm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"assay/internal/fault"
)

// Recorder is told of calls. Record is called on the goroutine of the call, and
// should be quick; its errors are its own to handle.
type Recorder interface {
	Record(ctx context.Context, r Recording)
}

// Recording is one call of a model, with all its texts masked. It holds no key
// and no header.
type Recording struct {
	// Hash names the request: all that the answer depends on, masked.
	Hash string `json:"hash"`
	// Alias is what was asked; Response.Model says who answered.
	Alias    string          `json:"alias"`
	At       time.Time       `json:"at"`
	Duration time.Duration   `json:"duration"`
	Request  RecordedRequest `json:"request"`
	Response Response        `json:"response"`
	// Error and Kind say how a call failed; both empty when it did not.
	Error string `json:"error,omitempty"`
	Kind  string `json:"kind,omitempty"`
}

// RecordedRequest is a request as it is stored.
type RecordedRequest struct {
	System      string          `json:"system,omitempty"`
	Messages    []Message       `json:"messages"`
	Tools       []Tool          `json:"tools,omitempty"`
	SchemaName  string          `json:"schema_name,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	MaxTokens   int             `json:"max_tokens,omitempty"`
	Temperature *float64        `json:"temperature,omitempty"`
}

// Hash names the request. Two with the same hash are the same to a model.
func (r RecordedRequest) Hash() string {
	sum := sha256.Sum256(marshal(r))
	return hex.EncodeToString(sum[:])
}

// Redact is a request as it is stored: with its texts masked, and without what
// only the provider can read and what only asks to be remembered. A nil mask
// changes no text.
func Redact(req Request, mask func(string) string) RecordedRequest {
	if mask == nil {
		mask = func(text string) string { return text }
	}
	out := RecordedRequest{System: mask(req.System), Tools: req.Tools, MaxTokens: req.MaxTokens, Temperature: req.Temperature}
	if req.Schema != nil {
		out.SchemaName, out.Schema = req.Schema.name, req.Schema.doc
	}
	for _, m := range req.Messages {
		out.Messages = append(out.Messages, Message{Role: m.Role, Parts: redactParts(m.Parts, mask)})
	}
	return out
}

func redactParts(parts []Part, mask func(string) string) []Part {
	var out []Part
	for _, p := range parts {
		var q Part
		switch {
		case p.Call != nil:
			call := redactCall(*p.Call, mask)
			q.Call = &call
		case p.Result != nil:
			result := *p.Result
			result.Content = mask(result.Content)
			q.Result = &result
		case p.Text != "":
			q.Text = mask(p.Text)
		default:
			continue
		}
		out = append(out, q)
	}
	return out
}

func redactCall(c ToolCall, mask func(string) string) ToolCall {
	c.Arguments = arguments(mask(string(c.Arguments)))
	return c
}

func redactResponse(r Response, mask func(string) string) Response {
	r.Text, r.Parts = mask(r.Text), redactParts(r.Parts, mask)
	if r.JSON != nil {
		r.JSON = arguments(mask(string(r.JSON)))
	}
	calls := r.Calls
	r.Calls = nil
	for _, c := range calls {
		r.Calls = append(r.Calls, redactCall(c, mask))
	}
	return r
}

// Record wraps m so that rec is told of each of its calls, after mask has gone
// over all texts. mask must come to the same when it is used twice; nil masks
// nothing.
func Record(m Model, rec Recorder, mask func(string) string) Model {
	if mask == nil {
		mask = func(text string) string { return text }
	}
	return &recorded{model: m, rec: rec, mask: mask}
}

type recorded struct {
	model Model
	rec   Recorder
	mask  func(string) string
}

func (m *recorded) Name() string { return m.model.Name() }

func (m *recorded) Complete(ctx context.Context, req Request) (Response, error) {
	r := Recording{Alias: m.model.Name(), At: time.Now(), Request: Redact(req, m.mask)}
	r.Hash = r.Request.Hash()
	resp, err := m.model.Complete(ctx, req)
	r.Duration = time.Since(r.At)
	r.Response = redactResponse(resp, m.mask)
	if err != nil {
		r.Error, r.Kind = err.Error(), fault.KindOf(err).String()
		if e, ok := errors.AsType[*AnswerError](err); ok {
			r.Response = redactResponse(e.Response, m.mask)
		}
	}
	m.rec.Record(ctx, r)
	return resp, err
}

// NotRecordedError is a request that no recording answers. Its kind is
// fault.Invalid.
type NotRecordedError struct{ Hash string }

func (e *NotRecordedError) Error() string {
	return fmt.Sprintf("there is no recording of the request %.12s", e.Hash)
}

// Replay is a Model that answers from recordings. It is safe for concurrent
// use.
type Replay struct {
	name string
	mask func(string) string

	mu     sync.Mutex
	byHash map[string][]Recording
}

// NewReplay makes a model of recordings that were made with mask. Those of the
// same request answer one after the other; the last one stays.
func NewReplay(name string, recordings []Recording, mask func(string) string) *Replay {
	r := &Replay{name: name, mask: mask, byHash: make(map[string][]Recording)}
	for _, rec := range recordings {
		r.byHash[rec.Hash] = append(r.byHash[rec.Hash], rec)
	}
	return r
}

// Name is the name it was given.
func (r *Replay) Name() string { return r.name }

// Complete answers as the recording of the same request says, its failure
// included.
func (r *Replay) Complete(ctx context.Context, req Request) (Response, error) {
	if err := ctx.Err(); err != nil {
		return Response{}, err
	}
	hash := Redact(req, r.mask).Hash()
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.byHash[hash]
	if len(list) == 0 {
		return Response{}, fault.New(fault.Invalid, &NotRecordedError{Hash: hash})
	}
	rec := list[0]
	if len(list) > 1 {
		r.byHash[hash] = list[1:]
	}
	if rec.Error == "" {
		return rec.Response, nil
	}
	return Response{}, fault.New(kindOf(rec.Kind), replayed(rec))
}

// replayed is a recorded failure; of its type where that is what callers act
// upon.
func replayed(rec Recording) error {
	switch rec.Response.Stop {
	case StopLength, StopRefusal, StopFilter:
		return &AnswerError{Model: rec.Response.Model, Reason: rec.Response.Stop, Response: rec.Response}
	}
	return errors.New(rec.Error)
}

func kindOf(name string) fault.Kind {
	for _, kind := range []fault.Kind{fault.Invalid, fault.Unauthorized, fault.Gone, fault.RateLimited, fault.Transient, fault.Busy} {
		if kind.String() == name {
			return kind
		}
	}
	return fault.Internal
}
