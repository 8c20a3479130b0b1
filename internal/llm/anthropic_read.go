package llm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type anthropicEvent struct {
	Type         string           `json:"type"`
	Error        json.RawMessage  `json:"error"`
	Index        int              `json:"index"`
	Message      *anthropicAnswer `json:"message"`
	ContentBlock json.RawMessage  `json:"content_block"`
	Delta        *anthropicDelta  `json:"delta"`
	Usage        *anthropicUsage  `json:"usage"`
	anthropicAnswer
}

type anthropicAnswer struct {
	Model      string            `json:"model"`
	Content    []json.RawMessage `json:"content"`
	StopReason string            `json:"stop_reason"`
	Usage      *anthropicUsage   `json:"usage"`
}

type anthropicDelta struct {
	Type        string          `json:"type"`
	Text        string          `json:"text"`
	PartialJSON string          `json:"partial_json"`
	Thinking    string          `json:"thinking"`
	Signature   string          `json:"signature"`
	Citation    json.RawMessage `json:"citation"`
	StopReason  string          `json:"stop_reason"`
}

type anthropicUsage struct {
	InputTokens   *int `json:"input_tokens"`
	OutputTokens  *int `json:"output_tokens"`
	CacheCreation *int `json:"cache_creation_input_tokens"`
	CacheRead     *int `json:"cache_read_input_tokens"`
}

func (anthropic) reader(origin string) reader {
	return &anthropicReader{origin: origin, blocks: make(map[int]*anthropicOpen)}
}

type anthropicReader struct {
	origin string
	model  string
	blocks map[int]*anthropicOpen
	stop   string
	ended  bool
	// plain, cached and written are its three kinds of input tokens.
	plain, cached, written, output int
}

// anthropicOpen is a block that is being put together. What it began with is
// kept, field by field, so that kinds of blocks unknown here go back as they
// came.
type anthropicOpen struct {
	fields                             map[string]json.RawMessage
	text, partial, thinking, signature strings.Builder
}

func (r *anthropicReader) whole(data []byte) error {
	var e anthropicEvent
	if json.Unmarshal(data, &e) != nil {
		return errGarbage
	}
	if e.Type == "error" || len(e.Error) > 0 {
		return streamError(r.origin, e.Error)
	}
	r.model, r.stop, r.ended = e.Model, e.StopReason, e.StopReason != ""
	r.spent(e.Usage)
	for i, block := range e.Content {
		if err := r.open(i, block); err != nil {
			return err
		}
	}
	return nil
}

func (r *anthropicReader) event(data []byte) error {
	var e anthropicEvent
	if json.Unmarshal(data, &e) != nil {
		return errGarbage
	}
	switch e.Type {
	case "error":
		return streamError(r.origin, e.Error)
	case "message_start":
		if e.Message != nil {
			r.model = e.Message.Model
			r.spent(e.Message.Usage)
		}
	case "content_block_start":
		return r.open(e.Index, e.ContentBlock)
	case "content_block_delta":
		return r.delta(e.Index, e.Delta)
	case "message_delta":
		if e.Delta != nil && e.Delta.StopReason != "" {
			r.stop = e.Delta.StopReason
		}
		r.spent(e.Usage)
	case "message_stop":
		r.ended = true
	}
	return nil // pings, and kinds of events that will be
}

func (r *anthropicReader) spent(u *anthropicUsage) {
	if u == nil {
		return
	}
	for to, from := range map[*int]*int{&r.plain: u.InputTokens, &r.cached: u.CacheRead, &r.written: u.CacheCreation, &r.output: u.OutputTokens} {
		if from != nil { // later counts take the place of earlier ones
			*to = max(*from, 0)
		}
	}
}

// maxBlocks bounds the blocks of an answer, whose numbers the other side makes.
const maxBlocks = 4096

func (r *anthropicReader) open(index int, block json.RawMessage) error {
	open := &anthropicOpen{}
	if json.Unmarshal(block, &open.fields) != nil || open.fields == nil || len(r.blocks) >= maxBlocks {
		return errGarbage
	}
	r.blocks[index] = open
	return nil
}

func (r *anthropicReader) delta(index int, d *anthropicDelta) error {
	open, ok := r.blocks[index]
	if !ok || d == nil {
		return errGarbage
	}
	open.text.WriteString(d.Text)
	open.partial.WriteString(d.PartialJSON)
	open.thinking.WriteString(d.Thinking)
	open.signature.WriteString(d.Signature)
	return nil
}

// finish puts the pieces into the block's fields.
func (o *anthropicOpen) finish() {
	for name, pieces := range map[string]*strings.Builder{"text": &o.text, "thinking": &o.thinking, "signature": &o.signature} {
		if pieces.Len() > 0 {
			o.fields[name] = marshal(o.string(name) + pieces.String())
			pieces.Reset()
		}
	}
	if o.partial.Len() > 0 {
		o.fields["input"] = object(arguments(o.partial.String()))
		o.partial.Reset()
	}
}

func (o *anthropicOpen) string(name string) string {
	var text string
	_ = json.Unmarshal(o.fields[name], &text) // empty where it is none
	return text
}

func (r *anthropicReader) answer() (Response, bool) {
	resp := Response{
		Answered: answered(r.model),
		Usage:    Usage{Input: r.plain + r.cached + r.written, Cached: r.cached, CacheWrites: r.written, Output: r.output},
	}
	for _, index := range slices.Sorted(maps.Keys(r.blocks)) {
		block := r.blocks[index]
		partial := block.partial.String()
		block.finish()
		part := Part{Raw: marshal(block.fields), Origin: r.origin}
		switch block.string("type") {
		case "text":
			if part.Text = block.string("text"); strings.TrimSpace(part.Text) == "" {
				continue
			}
			resp.Text += part.Text
		case "tool_use":
			call := ToolCall{ID: block.string("id"), Name: block.string("name"), Arguments: arguments(string(block.fields["input"]))}
			if partial != "" {
				call.Arguments = arguments(partial)
			}
			if call.ID == "" {
				call.ID = fmt.Sprintf("call_%d", index)
				block.fields["id"] = marshal(call.ID)
				part.Raw = marshal(block.fields)
			}
			part.Call = &call
			resp.Calls = append(resp.Calls, call)
		}
		resp.Parts = append(resp.Parts, part)
	}
	resp.Stop = r.reason(len(resp.Calls) > 0)
	return resp, r.ended
}

func (r *anthropicReader) reason(calls bool) StopReason {
	switch {
	case r.stop == "max_tokens" || r.stop == "model_context_window_exceeded":
		return StopLength
	case r.stop == "refusal":
		return StopRefusal
	case calls:
		return StopTools
	}
	return StopEnd
}
