package llm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// openAI is the dialect of chat completions
// (https://platform.openai.com/docs/api-reference/chat), as OpenAI, Azure's v1,
// and all that call themselves compatible speak it.
type openAI struct{}

func (openAI) defaultBase() string { return "https://api.openai.com/v1" }
func (openAI) path(string) string  { return "/chat/completions" }

func (openAI) authorize(h http.Header, base *url.URL, key string) {
	switch {
	case key == "":
	case isAzure(base):
		h.Set("api-key", key)
	default:
		h.Set("Authorization", "Bearer "+key)
	}
}

// isAzure knows Azure by its hosts, which take keys in a header of their own.
func isAzure(base *url.URL) bool {
	host := strings.ToLower(base.Hostname())
	for _, suffix := range []string{".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

type openAIRequest struct {
	Model               string            `json:"model"`
	Messages            []json.RawMessage `json:"messages"`
	Tools               []openAITool      `json:"tools,omitempty"`
	ToolChoice          any               `json:"tool_choice,omitempty"`
	ResponseFormat      any               `json:"response_format,omitempty"`
	MaxTokens           int               `json:"max_tokens,omitempty"`
	MaxCompletionTokens int               `json:"max_completion_tokens,omitempty"`
	Temperature         *float64          `json:"temperature,omitempty"`
	Stream              bool              `json:"stream"`
	StreamOptions       any               `json:"stream_options,omitempty"`
}

type openAITool struct {
	Type     string         `json:"type"`
	Function openAIFunction `json:"function"`
}

type openAIFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
}

type openAICall struct {
	Index    *int   `json:"index,omitempty"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
	// ExtraContent holds Gemini's thought signatures at its compatible endpoint.
	ExtraContent json.RawMessage `json:"extra_content,omitempty"`
}

func (openAI) body(model, origin string, req *Request, w ways) any {
	asked := askFor(req, w)
	out := openAIRequest{
		Model: model, Messages: openAIMessages(origin, asked.system, req.Messages), Stream: true,
		Temperature: req.Temperature,
	}
	if w.noTemperature {
		out.Temperature = nil
	}
	if w.maxTokens {
		out.MaxTokens = req.MaxTokens
	} else {
		out.MaxCompletionTokens = req.MaxTokens
	}
	if !w.noUsage {
		out.StreamOptions = map[string]bool{"include_usage": true}
	}
	for _, t := range asked.tools {
		out.Tools = append(out.Tools, openAITool{Type: "function", Function: openAIFunction(t)})
	}
	switch {
	case req.Schema == nil:
	case w.form == formSchema:
		out.ResponseFormat = map[string]any{"type": "json_schema", "json_schema": map[string]any{
			"name": req.Schema.name, "schema": req.Schema.doc, "strict": req.Schema.strict,
		}}
	case w.form == formObject:
		out.ResponseFormat = map[string]string{"type": "json_object"}
	case w.form == formTool && asked.alone:
		out.ToolChoice = map[string]any{"type": "function", "function": map[string]string{"name": answerTool}}
	case w.form == formTool:
		out.ToolChoice = "required"
	}
	return out
}

func openAIMessages(origin, system string, messages []Message) []json.RawMessage {
	var out []json.RawMessage
	add := func(m map[string]any) {
		data, err := json.Marshal(m)
		if err != nil {
			return // made of strings and of JSON that was checked
		}
		out = append(out, data)
	}
	if system != "" {
		add(map[string]any{"role": "system", "content": system})
	}
	for _, m := range messages {
		if m.Role == Assistant {
			add(openAIAssistant(origin, m))
			continue
		}
		var texts []string
		for _, p := range m.Parts {
			switch {
			case p.Result != nil:
				add(map[string]any{"role": "tool", "tool_call_id": p.Result.CallID, "content": resultText(p.Result)})
			case p.Text != "":
				texts = append(texts, p.Text)
			}
		}
		if len(texts) > 0 {
			add(map[string]any{"role": "user", "content": strings.Join(texts, "\n\n")})
		}
	}
	return out
}

func openAIAssistant(origin string, m Message) map[string]any {
	out := map[string]any{"role": "assistant"}
	var (
		texts []string
		calls []openAICall
	)
	for _, p := range m.Parts {
		switch {
		case p.Call != nil:
			var call openAICall
			if p.Origin != origin || json.Unmarshal(p.Raw, &call) != nil {
				call = openAICall{}
			}
			call.Index, call.ID, call.Type = nil, p.Call.ID, "function"
			call.Function.Name, call.Function.Arguments = p.Call.Name, string(p.Call.Arguments)
			calls = append(calls, call)
		case p.Text != "":
			texts = append(texts, p.Text)
		case p.Raw != nil && p.Origin == origin:
			var extra map[string]json.RawMessage
			if json.Unmarshal(p.Raw, &extra) == nil {
				for name, value := range extra {
					out[name] = value
				}
			}
		}
	}
	out["content"] = strings.Join(texts, "")
	if len(calls) > 0 {
		out["tool_calls"] = calls
	}
	return out
}

// resultText is what a model without a field for it is told of a tool.
func resultText(r *ToolResult) string {
	if r.Failed {
		return "Error: " + r.Content
	}
	return r.Content
}
