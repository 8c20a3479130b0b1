package llmfake

import (
	"encoding/json"
	"fmt"
)

type anthropic struct{}

func (anthropic) name() string    { return "anthropic" }
func (anthropic) overloaded() int { return 529 }
func (anthropic) tooLong() string { return "prompt is too long: 209001 tokens > 200000 maximum" }

func (anthropic) quota() refusal {
	return refusal{400, "invalid_request_error", "", "Your credit balance is too low to access the Anthropic API."}
}

func (anthropic) formatField(r Request) string {
	if r.Forced != "" {
		return "tool_choice"
	}
	return "output_config.format"
}

func (anthropic) parse(r *Request) {
	var body struct {
		Model    string          `json:"model"`
		System   json.RawMessage `json:"system"`
		Messages []struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		Tools []struct {
			Name        string          `json:"name"`
			InputSchema json.RawMessage `json:"input_schema"`
		} `json:"tools"`
		ToolChoice struct {
			Type string `json:"type"`
			Name string `json:"name"`
		} `json:"tool_choice"`
		OutputConfig struct {
			Format struct {
				Type   string          `json:"type"`
				Schema json.RawMessage `json:"schema"`
			} `json:"format"`
		} `json:"output_config"`
		MaxTokens int  `json:"max_tokens"`
		Stream    bool `json:"stream"`
	}
	read(r.Body, &body)
	r.Model, r.Stream, r.MaxTokens, r.Messages = body.Model, body.Stream, body.MaxTokens, len(body.Messages)
	r.System = texts(map[string]any{"content": parsed(body.System)})
	for _, m := range body.Messages {
		if m.Role != "user" {
			continue
		}
		r.Prompt += texts(map[string]any{"content": parsed(m.Content)})
		var blocks []struct {
			Type string `json:"type"`
		}
		read(m.Content, &blocks)
		for _, b := range blocks {
			if b.Type == "tool_result" {
				r.Results++
			}
		}
	}
	for _, t := range body.Tools {
		r.Tools = append(r.Tools, Tool{Name: t.Name, Parameters: t.InputSchema})
	}
	if r.Forced = body.ToolChoice.Name; body.ToolChoice.Type == "any" {
		r.Forced = "*"
	}
	r.Schema, r.JSON = body.OutputConfig.Format.Schema, body.OutputConfig.Format.Type != ""
}

func (anthropic) reason(a answer) string {
	return map[stop]string{stopEnd: "end_turn", stopTools: "tool_use", stopLength: "max_tokens", stopRefusal: "refusal", stopFilter: "refusal"}[a.stop]
}

func (anthropic) usage(a answer, output int) map[string]int {
	if a.noUsage {
		return nil
	}
	return map[string]int{
		"input_tokens": a.input - a.cached, "cache_read_input_tokens": a.cached, "cache_creation_input_tokens": 0, "output_tokens": output,
	}
}

// signature is what thoughts are signed with.
const signature = "c2lnbmVkIGJ5IHRoZSBmYWtl"

func (anthropic) blocks(a answer) []map[string]any {
	var blocks []map[string]any
	if a.thinking != "" {
		blocks = append(blocks, map[string]any{"type": "thinking", "thinking": a.thinking, "signature": signature})
	}
	if a.text != "" {
		blocks = append(blocks, map[string]any{"type": "text", "text": a.text})
	}
	for i, c := range a.calls {
		blocks = append(blocks, map[string]any{"type": "tool_use", "id": fmt.Sprintf("toolu_%s_%d", c.Name, i), "name": c.Name, "input": object(c.Arguments)})
	}
	return blocks
}

func (f anthropic) whole(r Request, a answer) string {
	blocks := f.blocks(a)
	if blocks == nil {
		blocks = []map[string]any{}
	}
	return write(map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "model": r.Model + "-20260101",
		"content": blocks, "stop_reason": f.reason(a), "usage": f.usage(a, a.output),
	})
}

func (f anthropic) stream(r Request, a answer) []string {
	var events []string
	add := func(event map[string]any) { events = append(events, write(event)) }
	add(map[string]any{"type": "message_start", "message": map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "model": r.Model + "-20260101", "content": []any{}, "usage": f.usage(a, 1),
	}})
	add(map[string]any{"type": "ping"})
	for i, block := range f.blocks(a) {
		deltas := f.deltas(block, a.calls, i)
		add(map[string]any{"type": "content_block_start", "index": i, "content_block": block})
		for _, d := range deltas {
			add(map[string]any{"type": "content_block_delta", "index": i, "delta": d})
		}
		add(map[string]any{"type": "content_block_stop", "index": i})
	}
	last := map[string]any{"type": "message_delta", "delta": map[string]any{"stop_reason": f.reason(a)}}
	if !a.noUsage {
		last["usage"] = map[string]int{"output_tokens": a.output}
	}
	add(last)
	add(map[string]any{"type": "message_stop"})
	return events
}

// deltas empties a block and returns what was in it as pieces.
func (anthropic) deltas(block map[string]any, calls []Call, index int) []any {
	var out []any
	switch block["type"] {
	case "text":
		for _, p := range split(block["text"].(string)) {
			out = append(out, map[string]string{"type": "text_delta", "text": p})
		}
		block["text"] = ""
	case "thinking":
		for _, p := range split(block["thinking"].(string)) {
			out = append(out, map[string]string{"type": "thinking_delta", "thinking": p})
		}
		out = append(out, map[string]string{"type": "signature_delta", "signature": signature})
		block["thinking"], block["signature"] = "", ""
	case "tool_use":
		for _, p := range split(string(block["input"].(json.RawMessage))) {
			out = append(out, map[string]string{"type": "input_json_delta", "partial_json": p})
		}
		block["input"] = map[string]any{}
	}
	return out
}

func (anthropic) frame(data string) string {
	var head struct {
		Type string `json:"type"`
	}
	read(json.RawMessage(data), &head)
	return "event: " + head.Type + "\ndata: " + data + "\n\n"
}

func (anthropic) refuse(r refusal) string {
	return write(map[string]any{"type": "error", "error": map[string]string{"type": r.kind, "message": r.message}})
}

func (f anthropic) streamError(r refusal) string { return f.refuse(r) }
