package llm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

type openAIChunk struct {
	Model   string          `json:"model"`
	Error   json.RawMessage `json:"error"`
	Choices []struct {
		Index        int          `json:"index"`
		Delta        *openAIDelta `json:"delta"`
		Message      *openAIDelta `json:"message"`
		FinishReason string       `json:"finish_reason"`
	} `json:"choices"`
	Usage *openAIUsage `json:"usage"`
}

type openAIDelta struct {
	Content          string            `json:"content"`
	Refusal          string            `json:"refusal"`
	ReasoningContent string            `json:"reasoning_content"` // DeepSeek, Kimi, vLLM
	ReasoningDetails []json.RawMessage `json:"reasoning_details"` // OpenRouter
	ToolCalls        []openAICall      `json:"tool_calls"`
}

type openAIUsage struct {
	PromptTokens        int `json:"prompt_tokens"`
	CompletionTokens    int `json:"completion_tokens"`
	CacheHit            int `json:"prompt_cache_hit_tokens"` // DeepSeek
	PromptTokensDetails *struct {
		CachedTokens     int `json:"cached_tokens"`
		CacheWriteTokens int `json:"cache_write_tokens"`
	} `json:"prompt_tokens_details"`
}

func (openAI) reader(origin string) reader { return &openAIReader{origin: origin} }

type openAIReader struct {
	origin    string
	model     string
	text      strings.Builder
	refusal   strings.Builder
	reasoning strings.Builder
	details   []json.RawMessage
	calls     []*openAICall
	finish    string
	usage     Usage
}

func (r *openAIReader) whole(data []byte) error { return r.event(data) }

func (r *openAIReader) event(data []byte) error {
	var c openAIChunk
	if err := json.Unmarshal(data, &c); err != nil {
		return errGarbage
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return streamError(r.origin, c.Error)
	}
	if c.Model != "" {
		r.model = c.Model
	}
	if u := c.Usage; u != nil {
		r.usage = Usage{Input: max(u.PromptTokens, 0), Output: max(u.CompletionTokens, 0), Cached: max(u.CacheHit, 0)}
		if u.PromptTokensDetails != nil {
			r.usage.Cached = max(r.usage.Cached, u.PromptTokensDetails.CachedTokens)
			r.usage.CacheWrites = max(u.PromptTokensDetails.CacheWriteTokens, 0)
		}
	}
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue
		}
		for _, delta := range []*openAIDelta{choice.Delta, choice.Message} {
			if delta != nil {
				r.add(delta)
			}
		}
		if choice.FinishReason != "" {
			r.finish = choice.FinishReason
		}
	}
	return nil
}

func (r *openAIReader) add(d *openAIDelta) {
	r.text.WriteString(d.Content)
	r.refusal.WriteString(d.Refusal)
	r.reasoning.WriteString(d.ReasoningContent)
	r.details = append(r.details, d.ReasoningDetails...)
	for _, piece := range d.ToolCalls {
		call := r.call(piece)
		call.Function.Name += piece.Function.Name
		call.Function.Arguments += piece.Function.Arguments
		if piece.ExtraContent != nil {
			call.ExtraContent = piece.ExtraContent
		}
	}
}

// call finds the call that a piece belongs to. By the API a piece has an index;
// some servers leave it out and send the ID with each piece, or whole calls
// without either.
func (r *openAIReader) call(piece openAICall) *openAICall {
	for _, c := range slices.Backward(r.calls) {
		switch {
		case piece.Index != nil && c.Index != nil:
			if *piece.Index != *c.Index || piece.ID != "" && c.ID != "" && piece.ID != c.ID {
				continue // another's, or all of them index 0
			}
			return c
		case piece.ID != "":
			if piece.ID == c.ID {
				return c
			}
			continue
		case piece.Function.Name == "": // the rest of the last one's arguments
			return c
		}
	}
	c := &openAICall{Index: piece.Index, ID: piece.ID}
	r.calls = append(r.calls, c)
	return c
}

func (r *openAIReader) answer() (Response, bool) {
	resp := Response{Text: r.text.String(), Usage: r.usage, Answered: answered(r.model)}
	if extra := r.extra(); extra != nil {
		resp.Parts = append(resp.Parts, Part{Raw: extra, Origin: r.origin})
	}
	if resp.Text != "" {
		resp.Parts = append(resp.Parts, Part{Text: resp.Text})
	}
	for i, c := range r.calls {
		call := ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: arguments(c.Function.Arguments)}
		if call.ID == "" {
			call.ID = fmt.Sprintf("call_%d", i)
		}
		part := Part{Call: &call}
		if c.ExtraContent != nil {
			part.Raw, part.Origin = marshal(openAICall{ExtraContent: c.ExtraContent}), r.origin
		}
		resp.Calls, resp.Parts = append(resp.Calls, call), append(resp.Parts, part)
	}
	resp.Stop = r.stop()
	return resp, r.finish != ""
}

// extra are the fields of the message which must go back as they came.
func (r *openAIReader) extra() json.RawMessage {
	fields := make(map[string]any)
	if r.reasoning.Len() > 0 {
		fields["reasoning_content"] = r.reasoning.String()
	}
	if len(r.details) > 0 {
		fields["reasoning_details"] = r.details
	}
	if len(fields) == 0 {
		return nil
	}
	return marshal(fields)
}

func (r *openAIReader) stop() StopReason {
	switch {
	case r.finish == "length":
		return StopLength
	case r.finish == "content_filter":
		return StopFilter
	case r.refusal.Len() > 0 && r.text.Len() == 0:
		return StopRefusal
	case len(r.calls) > 0: // whatever the server calls it: some say "stop"
		return StopTools
	}
	return StopEnd
}
