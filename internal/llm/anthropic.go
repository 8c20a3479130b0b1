package llm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// anthropicVersion is the API's version (https://docs.anthropic.com/en/api/versioning).
const anthropicVersion = "2023-06-01"

// maxMarks is the number of messages that may be marked to be remembered; a
// request has four marks, one of which is the system's
// (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching).
const maxMarks = 3

// anthropic is the dialect of Anthropic's messages
// (https://docs.anthropic.com/en/api/messages).
type anthropic struct{}

func (anthropic) defaultBase() string { return "https://api.anthropic.com" }
func (anthropic) path(string) string  { return "/v1/messages" }

func (anthropic) authorize(h http.Header, _ *url.URL, key string) {
	h.Set("anthropic-version", anthropicVersion)
	if key != "" {
		h.Set("x-api-key", key)
	}
}

type anthropicRequest struct {
	Model        string             `json:"model"`
	MaxTokens    int                `json:"max_tokens"`
	System       []any              `json:"system,omitempty"`
	Messages     []anthropicMessage `json:"messages"`
	Tools        []any              `json:"tools,omitempty"`
	ToolChoice   any                `json:"tool_choice,omitempty"`
	OutputConfig any                `json:"output_config,omitempty"`
	Temperature  *float64           `json:"temperature,omitempty"`
	Stream       bool               `json:"stream"`
}

type anthropicMessage struct {
	Role    Role  `json:"role"`
	Content []any `json:"content"`
}

// anthropicBlock is a block of content that we write.
type anthropicBlock struct {
	Type         string          `json:"type"`
	Text         string          `json:"text,omitempty"`
	ID           string          `json:"id,omitempty"`
	Name         string          `json:"name,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
	ToolUseID    string          `json:"tool_use_id,omitempty"`
	Content      string          `json:"content,omitempty"`
	IsError      bool            `json:"is_error,omitempty"`
	CacheControl any             `json:"cache_control,omitempty"`
}

type anthropicTool struct {
	Name         string          `json:"name"`
	Description  string          `json:"description,omitempty"`
	InputSchema  json.RawMessage `json:"input_schema"`
	CacheControl any             `json:"cache_control,omitempty"`
}

var ephemeral = map[string]string{"type": "ephemeral"}

func (anthropic) body(model, origin string, req *Request, w ways) any {
	asked := askFor(req, w)
	out := anthropicRequest{
		Model: model, MaxTokens: req.MaxTokens, Messages: anthropicMessages(origin, req.Messages), Temperature: req.Temperature, Stream: true,
	}
	if w.noTemperature {
		out.Temperature = nil
	}
	for i, t := range asked.tools {
		tool := anthropicTool{Name: t.Name, Description: t.Description, InputSchema: t.Parameters}
		if req.CacheSystem && asked.system == "" && i == len(asked.tools)-1 {
			tool.CacheControl = ephemeral
		}
		out.Tools = append(out.Tools, tool)
	}
	if asked.system != "" {
		block := anthropicBlock{Type: "text", Text: asked.system}
		if req.CacheSystem { // a mark covers the tools too, which come first
			block.CacheControl = ephemeral
		}
		out.System = []any{block}
	}
	switch {
	case req.Schema == nil:
	case w.form == formSchema:
		out.OutputConfig = map[string]any{"format": map[string]any{"type": "json_schema", "schema": req.Schema.doc}}
	case w.form == formTool && asked.alone:
		out.ToolChoice = map[string]string{"type": "tool", "name": answerTool}
	case w.form == formTool:
		out.ToolChoice = map[string]string{"type": "any"}
	}
	return out
}

func anthropicMessages(origin string, messages []Message) []anthropicMessage {
	var out []anthropicMessage
	marks := 0
	for _, m := range messages {
		if m.Cache {
			marks++
		}
	}
	for _, m := range messages {
		blocks := anthropicBlocks(origin, m)
		if m.Cache {
			if marks <= maxMarks {
				mark(blocks)
			}
			marks--
		}
		if len(blocks) == 0 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Role == m.Role {
			out[n-1].Content = append(out[n-1].Content, blocks...)
			continue
		}
		out = append(out, anthropicMessage{Role: m.Role, Content: blocks})
	}
	return out
}

// mark marks the last block, unless it is the provider's own, which must stay
// as it is.
func mark(blocks []any) {
	if len(blocks) == 0 {
		return
	}
	if block, ok := blocks[len(blocks)-1].(anthropicBlock); ok {
		block.CacheControl = ephemeral
		blocks[len(blocks)-1] = block
	}
}

func anthropicBlocks(origin string, m Message) []any {
	var blocks []any
	for _, p := range m.Parts {
		switch {
		case p.Raw != nil && p.Origin == origin:
			blocks = append(blocks, p.Raw)
		case p.Call != nil:
			blocks = append(blocks, anthropicBlock{Type: "tool_use", ID: p.Call.ID, Name: p.Call.Name, Input: object(p.Call.Arguments)})
		case p.Result != nil:
			blocks = append(blocks, anthropicBlock{Type: "tool_result", ToolUseID: p.Result.CallID, Content: p.Result.Content, IsError: p.Result.Failed})
		case strings.TrimSpace(p.Text) != "": // it takes no empty ones
			blocks = append(blocks, anthropicBlock{Type: "text", Text: p.Text})
		}
	}
	return blocks
}
