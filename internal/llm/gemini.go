package llm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// gemini is the dialect of Gemini's generateContent
// (https://ai.google.dev/api/generate-content).
type gemini struct{}

func (gemini) defaultBase() string { return "https://generativelanguage.googleapis.com/v1beta" }

func (gemini) path(model string) string {
	return "/models/" + strings.TrimPrefix(model, "models/") + ":streamGenerateContent?alt=sse"
}

func (gemini) authorize(h http.Header, _ *url.URL, key string) {
	if key != "" {
		h.Set("x-goog-api-key", key) // never in the URL, which logs and errors show
	}
}

type geminiRequest struct {
	SystemInstruction *geminiContent  `json:"systemInstruction,omitempty"`
	Contents          []geminiContent `json:"contents"`
	Tools             []geminiTools   `json:"tools,omitempty"`
	ToolConfig        any             `json:"toolConfig,omitempty"`
	GenerationConfig  geminiConfig    `json:"generationConfig"`
}

type geminiContent struct {
	Role  string `json:"role,omitempty"`
	Parts []any  `json:"parts"`
}

type geminiTools struct {
	FunctionDeclarations []geminiFunction `json:"functionDeclarations"`
}

type geminiFunction struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type geminiConfig struct {
	MaxOutputTokens    int             `json:"maxOutputTokens"`
	Temperature        *float64        `json:"temperature,omitempty"`
	ResponseMIMEType   string          `json:"responseMimeType,omitempty"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"`
}

func (gemini) body(_, origin string, req *Request, w ways) any {
	asked := askFor(req, w)
	out := geminiRequest{GenerationConfig: geminiConfig{MaxOutputTokens: req.MaxTokens, Temperature: req.Temperature}}
	if w.noTemperature {
		out.GenerationConfig.Temperature = nil
	}
	if asked.system != "" {
		out.SystemInstruction = &geminiContent{Parts: []any{map[string]string{"text": asked.system}}}
	}
	for _, m := range req.Messages {
		if parts := geminiParts(origin, m); len(parts) > 0 {
			out.Contents = append(out.Contents, geminiContent{Role: geminiRole(m.Role), Parts: parts})
		}
	}
	if len(asked.tools) > 0 {
		var tools geminiTools
		for _, t := range asked.tools {
			tools.FunctionDeclarations = append(tools.FunctionDeclarations, geminiFunction{Name: t.Name, Description: t.Description, ParametersJSONSchema: t.Parameters})
		}
		out.Tools = []geminiTools{tools}
	}
	switch {
	case req.Schema == nil:
	case w.form == formSchema:
		out.GenerationConfig.ResponseMIMEType, out.GenerationConfig.ResponseJSONSchema = "application/json", req.Schema.doc
	case w.form == formObject:
		out.GenerationConfig.ResponseMIMEType = "application/json"
	case w.form == formTool:
		out.ToolConfig = map[string]any{"functionCallingConfig": map[string]string{"mode": "ANY"}}
	}
	return out
}

func geminiRole(r Role) string {
	if r == Assistant {
		return "model"
	}
	return "user"
}

func geminiParts(origin string, m Message) []any {
	var parts []any
	for _, p := range m.Parts {
		switch {
		case p.Raw != nil && p.Origin == origin:
			parts = append(parts, p.Raw)
		case p.Call != nil:
			parts = append(parts, map[string]any{"functionCall": map[string]any{"name": p.Call.Name, "args": object(p.Call.Arguments)}})
		case p.Result != nil:
			key := "result"
			if p.Result.Failed {
				key = "error"
			}
			parts = append(parts, map[string]any{"functionResponse": map[string]any{
				"name": p.Result.Name, "response": map[string]string{key: p.Result.Content},
			}})
		case p.Text != "":
			parts = append(parts, map[string]any{"text": p.Text})
		}
	}
	return parts
}
