package llmfake

import (
	"encoding/json"
	"fmt"
	"strings"
)

type openAI struct{}

func (openAI) name() string    { return "openai" }
func (openAI) overloaded() int { return 503 }
func (openAI) tooLong() string {
	return "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
}

func (openAI) quota() refusal {
	return refusal{429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."}
}

func (openAI) formatField(r Request) string {
	if r.Forced != "" {
		return "tool_choice"
	}
	return "response_format"
}

func (openAI) parse(r *Request) {
	var body struct {
		Model    string            `json:"model"`
		Messages []json.RawMessage `json:"messages"`
		Tools    []struct {
			Function struct {
				Name       string          `json:"name"`
				Parameters json.RawMessage `json:"parameters"`
			} `json:"function"`
		} `json:"tools"`
		ToolChoice     json.RawMessage `json:"tool_choice"`
		ResponseFormat struct {
			Type       string `json:"type"`
			JSONSchema struct {
				Schema json.RawMessage `json:"schema"`
			} `json:"json_schema"`
		} `json:"response_format"`
		MaxTokens           int  `json:"max_tokens"`
		MaxCompletionTokens int  `json:"max_completion_tokens"`
		Stream              bool `json:"stream"`
	}
	read(r.Body, &body)
	r.Model, r.Stream, r.MaxTokens = body.Model, body.Stream, max(body.MaxTokens, body.MaxCompletionTokens)
	r.Messages = len(body.Messages)
	for _, m := range body.Messages {
		var head struct {
			Role string `json:"role"`
		}
		read(m, &head)
		switch head.Role {
		case "system", "developer":
			r.System += texts(parsed(m))
		case "tool":
			r.Results++
			r.Prompt += texts(parsed(m))
		case "user":
			r.Prompt += texts(parsed(m))
		}
	}
	for _, t := range body.Tools {
		r.Tools = append(r.Tools, Tool{Name: t.Function.Name, Parameters: t.Function.Parameters})
	}
	var choice struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	read(body.ToolChoice, &choice)
	if r.Forced = choice.Function.Name; string(body.ToolChoice) == `"required"` {
		r.Forced = "*"
	}
	r.Schema, r.JSON = body.ResponseFormat.JSONSchema.Schema, body.ResponseFormat.Type != "" && body.ResponseFormat.Type != "text"
}

func (openAI) finish(a answer) string {
	switch {
	case a.stop == stopLength:
		return "length"
	case a.stop == stopFilter:
		return "content_filter"
	case a.stop == stopTools && !a.sloppy:
		return "tool_calls"
	}
	return "stop"
}

func (openAI) usage(a answer) any {
	return map[string]any{
		"prompt_tokens": a.input, "completion_tokens": a.output, "total_tokens": a.input + a.output,
		"prompt_tokens_details": map[string]int{"cached_tokens": a.cached},
	}
}

func (o openAI) whole(r Request, a answer) string {
	message := map[string]any{"role": "assistant", "content": a.text}
	if a.stop == stopRefusal {
		message["content"], message["refusal"] = nil, "I can't help with that."
	}
	if a.thinking != "" {
		message["reasoning_content"] = a.thinking
	}
	if len(a.calls) > 0 {
		var calls []any
		for i, c := range a.calls {
			calls = append(calls, o.call(i, c, a.sloppy, false))
		}
		message["tool_calls"] = calls
	}
	body := map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "model": r.Model + "-2026-01-01",
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": o.finish(a)}},
	}
	if !a.noUsage {
		body["usage"] = o.usage(a)
	}
	return write(body)
}

func (openAI) call(i int, c Call, sloppy, indexed bool) map[string]any {
	call := map[string]any{"type": "function", "function": map[string]string{"name": c.Name, "arguments": c.Arguments}}
	if !sloppy {
		call["id"] = fmt.Sprintf("call_%s_%d", c.Name, i)
		if indexed {
			call["index"] = i
		}
	}
	return call
}

func (o openAI) stream(r Request, a answer) []string {
	var events []string
	chunk := func(delta any, finish any) {
		events = append(events, write(map[string]any{
			"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": r.Model + "-2026-01-01",
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
		}))
	}
	chunk(map[string]string{"role": "assistant", "content": ""}, nil)
	for _, p := range split(a.thinking) {
		chunk(map[string]string{"reasoning_content": p}, nil)
	}
	if a.stop == stopRefusal {
		chunk(map[string]string{"refusal": "I can't help with that."}, nil)
	}
	for _, p := range split(a.text) {
		chunk(map[string]string{"content": p}, nil)
	}
	for i, c := range a.calls {
		if a.sloppy { // whole calls, as some compatible servers send
			chunk(map[string]any{"tool_calls": []any{o.call(i, c, true, false)}}, nil)
			continue
		}
		first := c
		first.Arguments = ""
		chunk(map[string]any{"tool_calls": []any{o.call(i, first, false, true)}}, nil)
		for _, p := range split(c.Arguments) {
			chunk(map[string]any{"tool_calls": []any{map[string]any{"index": i, "function": map[string]string{"arguments": p}}}}, nil)
		}
	}
	chunk(map[string]string{}, o.finish(a))
	if !a.noUsage && strings.Contains(string(r.Body), `"include_usage":true`) {
		events = append(events, write(map[string]any{"model": r.Model + "-2026-01-01", "choices": []any{}, "usage": o.usage(a)}))
	}
	return append(events, "[DONE]")
}

func (openAI) frame(data string) string { return "data: " + data + "\n\n" }

func (openAI) refuse(r refusal) string {
	return write(map[string]any{"error": map[string]any{"message": r.message, "type": r.kind, "code": r.code, "param": nil}})
}

func (o openAI) streamError(r refusal) string {
	return write(map[string]any{"error": map[string]any{"message": r.message, "code": r.status}})
}
