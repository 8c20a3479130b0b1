package llm

import (
	"encoding/json"
	"fmt"
)

type geminiChunk struct {
	Error          json.RawMessage `json:"error"`
	ModelVersion   string          `json:"modelVersion"`
	PromptFeedback *struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	Candidates []struct {
		Index   int `json:"index"`
		Content struct {
			Parts []json.RawMessage `json:"parts"`
		} `json:"content"`
		FinishReason string `json:"finishReason"`
	} `json:"candidates"`
	UsageMetadata *struct {
		PromptTokenCount        int `json:"promptTokenCount"`
		ToolUsePromptTokenCount int `json:"toolUsePromptTokenCount"`
		CandidatesTokenCount    int `json:"candidatesTokenCount"`
		ThoughtsTokenCount      int `json:"thoughtsTokenCount"`
		CachedContentTokenCount int `json:"cachedContentTokenCount"`
	} `json:"usageMetadata"`
}

type geminiPart struct {
	Text         string `json:"text"`
	Thought      bool   `json:"thought"`
	FunctionCall *struct {
		ID   string          `json:"id"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	ThoughtSignature string `json:"thoughtSignature"`
}

func (gemini) reader(origin string) reader { return &geminiReader{origin: origin} }

type geminiReader struct {
	origin  string
	model   string
	resp    Response
	finish  string
	blocked bool
}

// whole takes one answer, or the list of them that the API sends to whoever
// asks for a stream and not for events.
func (r *geminiReader) whole(data []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		list = []json.RawMessage{data}
	}
	for _, chunk := range list {
		if err := r.event(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (r *geminiReader) event(data []byte) error {
	var c geminiChunk
	if json.Unmarshal(data, &c) != nil {
		return errGarbage
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return streamError(r.origin, c.Error)
	}
	if c.ModelVersion != "" {
		r.model = c.ModelVersion
	}
	if c.PromptFeedback != nil && c.PromptFeedback.BlockReason != "" {
		r.blocked = true
	}
	if u := c.UsageMetadata; u != nil { // each has the count so far
		r.resp.Usage = Usage{
			Input: max(u.PromptTokenCount+u.ToolUsePromptTokenCount, 0), Cached: max(u.CachedContentTokenCount, 0),
			Output: max(u.CandidatesTokenCount+u.ThoughtsTokenCount, 0),
		}
	}
	for _, candidate := range c.Candidates {
		if candidate.Index != 0 {
			continue
		}
		for _, part := range candidate.Content.Parts {
			if err := r.part(part); err != nil {
				return err
			}
		}
		if candidate.FinishReason != "" {
			r.finish = candidate.FinishReason
		}
	}
	return nil
}

func (r *geminiReader) part(raw json.RawMessage) error {
	var p geminiPart
	if json.Unmarshal(raw, &p) != nil {
		return errGarbage
	}
	part := Part{Raw: raw, Origin: r.origin}
	switch {
	case p.FunctionCall != nil:
		call := ToolCall{ID: p.FunctionCall.ID, Name: p.FunctionCall.Name, Arguments: arguments(string(p.FunctionCall.Args))}
		if call.ID == "" {
			call.ID = fmt.Sprintf("call_%d", len(r.resp.Calls))
		}
		part.Call = &call
		r.resp.Calls = append(r.resp.Calls, call)
	case p.Thought:
	case p.Text != "":
		r.resp.Text += p.Text
		if n := len(r.resp.Parts); n > 0 && p.ThoughtSignature == "" && r.resp.Parts[n-1].Text != "" && r.resp.Parts[n-1].Raw == nil {
			r.resp.Parts[n-1].Text += p.Text // the next piece of the same text
			return nil
		}
		part.Text = p.Text
		if p.ThoughtSignature == "" {
			part.Raw, part.Origin = nil, ""
		}
	case p.ThoughtSignature == "":
		return nil // nothing in it
	}
	r.resp.Parts = append(r.resp.Parts, part)
	return nil
}

func (r *geminiReader) answer() (Response, bool) {
	resp := r.resp
	resp.Answered = answered(r.model)
	resp.Stop = r.stop()
	return resp, r.finish != "" || r.blocked
}

// stop reads its many reasons
// (https://ai.google.dev/api/generate-content#FinishReason).
func (r *geminiReader) stop() StopReason {
	switch r.finish {
	case "MAX_TOKENS":
		return StopLength
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY":
		return StopFilter
	case "":
		if r.blocked {
			return StopFilter
		}
	}
	if len(r.resp.Calls) > 0 {
		return StopTools
	}
	return StopEnd
}
