package llmfake

import (
	"encoding/json"
	"strings"
)

type gemini struct{}

func (gemini) name() string    { return "gemini" }
func (gemini) overloaded() int { return 503 }

func (gemini) tooLong() string {
	return "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576)."
}

func (gemini) quota() refusal {
	return refusal{429, "", "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."}
}

func (gemini) formatField(r Request) string {
	if r.Forced != "" {
		return "function calling mode ANY"
	}
	return "responseJsonSchema"
}

func (gemini) parse(r *Request) {
	var body struct {
		SystemInstruction json.RawMessage `json:"systemInstruction"`
		Contents          []struct {
			Role  string            `json:"role"`
			Parts []json.RawMessage `json:"parts"`
		} `json:"contents"`
		Tools []struct {
			FunctionDeclarations []struct {
				Name                 string          `json:"name"`
				ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
			} `json:"functionDeclarations"`
		} `json:"tools"`
		ToolConfig struct {
			FunctionCallingConfig struct {
				Mode string `json:"mode"`
			} `json:"functionCallingConfig"`
		} `json:"toolConfig"`
		GenerationConfig struct {
			MaxOutputTokens    int             `json:"maxOutputTokens"`
			ResponseMIMEType   string          `json:"responseMimeType"`
			ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
		} `json:"generationConfig"`
	}
	read(r.Body, &body)
	path, _, _ := strings.Cut(r.Path, "?")
	model, verb, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
	r.Model, r.Stream, r.MaxTokens, r.Messages = model, verb == "streamGenerateContent", body.GenerationConfig.MaxOutputTokens, len(body.Contents)
	r.System = texts(parsed(body.SystemInstruction))
	for _, c := range body.Contents {
		if c.Role == "model" {
			continue
		}
		for _, p := range c.Parts {
			text := string(p)
			if strings.Contains(text, `"functionResponse"`) {
				r.Results++
			}
			r.Prompt += texts(parsed(p))
		}
	}
	for _, t := range body.Tools {
		for _, f := range t.FunctionDeclarations {
			r.Tools = append(r.Tools, Tool{Name: f.Name, Parameters: f.ParametersJSONSchema})
		}
	}
	if body.ToolConfig.FunctionCallingConfig.Mode == "ANY" {
		r.Forced = "*"
	}
	r.Schema, r.JSON = body.GenerationConfig.ResponseJSONSchema, body.GenerationConfig.ResponseMIMEType == "application/json"
}

func (gemini) reason(a answer) string {
	return map[stop]string{stopEnd: "STOP", stopTools: "STOP", stopLength: "MAX_TOKENS", stopRefusal: "SAFETY", stopFilter: "SAFETY"}[a.stop]
}

func (f gemini) chunk(r Request, a answer, parts []any, last bool) string {
	candidate := map[string]any{"index": 0, "content": map[string]any{"role": "model", "parts": parts}}
	body := map[string]any{"candidates": []any{candidate}, "modelVersion": r.Model + "-001"}
	if last {
		candidate["finishReason"] = f.reason(a)
	}
	if !a.noUsage {
		body["usageMetadata"] = map[string]int{
			"promptTokenCount": a.input, "cachedContentTokenCount": a.cached, "candidatesTokenCount": a.output - tokens(a.thinking),
			"thoughtsTokenCount": tokens(a.thinking), "totalTokenCount": a.input + a.output,
		}
	}
	return write(body)
}

func (gemini) parts(a answer, text string) []any {
	parts := []any{}
	if text != "" {
		parts = append(parts, map[string]any{"text": text})
	}
	for i, c := range a.calls {
		part := map[string]any{"functionCall": map[string]any{"name": c.Name, "args": object(c.Arguments)}}
		if i == 0 && a.thinking != "" {
			part["thoughtSignature"] = signature
		}
		parts = append(parts, part)
	}
	return parts
}

func (f gemini) whole(r Request, a answer) string {
	return f.chunk(r, a, f.parts(a, a.text), true)
}

func (f gemini) stream(r Request, a answer) []string {
	var events []string
	for _, p := range split(a.thinking) {
		events = append(events, f.chunk(r, a, []any{map[string]any{"text": p, "thought": true}}, false))
	}
	for _, p := range split(a.text) {
		events = append(events, f.chunk(r, a, []any{map[string]string{"text": p}}, false))
	}
	return append(events, f.chunk(r, a, f.parts(a, ""), true))
}

func (gemini) frame(data string) string { return "data: " + data + "\r\n\r\n" }

func (gemini) refuse(r refusal) string {
	status := map[int]string{
		400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 529: "UNAVAILABLE",
	}[r.status]
	return write(map[string]any{"error": map[string]any{"code": r.status, "message": r.message, "status": status}})
}

func (f gemini) streamError(r refusal) string { return f.refuse(r) }
