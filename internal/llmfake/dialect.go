package llmfake

import (
	"encoding/json"
	"strings"
)

// dialect is a wire format, from the server's side.
type dialect interface {
	name() string
	// parse fills the request in from its body.
	parse(r *Request)
	// whole is an answer in one piece, stream one in the data of events.
	whole(r Request, a answer) string
	stream(r Request, a answer) []string
	// frame is an event around its data.
	frame(data string) string
	refuse(r refusal) string
	streamError(r refusal) string
	quota() refusal
	overloaded() int
	tooLong() string
	// formatField names what a refusal of a structured answer would name.
	formatField(r Request) string
}

func dialectOf(path string) dialect {
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return openAI{}
	case strings.HasSuffix(path, "/v1/messages"):
		return anthropic{}
	case strings.HasSuffix(path, ":streamGenerateContent"), strings.HasSuffix(path, ":generateContent"):
		return gemini{}
	}
	return nil
}

// write is value as JSON.
func write(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic("llmfake: " + err.Error()) // made here of strings and numbers
	}
	return string(data)
}

// read takes a part of a request; what does not fit stays empty, as a test
// would see.
func read(data json.RawMessage, to any) { _ = json.Unmarshal(data, to) }

// texts are all strings under "text", "content" or "result" in a value, which
// is where all three formats keep what is said.
func texts(value any) string {
	var b strings.Builder
	var walk func(key string, value any)
	walk = func(key string, value any) {
		switch v := value.(type) {
		case string:
			if key == "text" || key == "content" || key == "result" || key == "error" {
				b.WriteString(v + "\n")
			}
		case []any:
			for _, e := range v {
				walk(key, e)
			}
		case map[string]any:
			for _, k := range []string{"text", "content", "result", "error", "parts", "functionResponse", "response"} {
				if e, ok := v[k]; ok {
					walk(k, e)
				}
			}
		}
	}
	walk("", value)
	return b.String()
}

func parsed(data json.RawMessage) any {
	var value any
	read(data, &value)
	return value
}

// pieces cuts a text in pieces of about a token, so that streams look like
// streams.
func pieces(text string) []string {
	const size = 24
	var out []string
	runes := []rune(text)
	for len(runes) > size {
		out, runes = append(out, string(runes[:size])), runes[size:]
	}
	if len(runes) > 0 {
		out = append(out, string(runes))
	}
	return out
}

// object is a call's arguments where the format has JSON for them.
func object(arguments string) json.RawMessage {
	if json.Valid([]byte(arguments)) {
		return json.RawMessage(arguments)
	}
	return json.RawMessage(write(arguments))
}

// split is pieces, but few of a long text, so that big answers do not
// take long to make.
func split(text string) []string {
	if len(text) <= 64<<10 {
		return pieces(text)
	}
	var out []string
	for len(text) > 32<<10 {
		out, text = append(out, text[:32<<10]), text[32<<10:]
	}
	return append(out, text)
}
