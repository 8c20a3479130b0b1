package llm

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// fence is a fenced block of markdown.
var fence = regexp.MustCompile("(?s)```[A-Za-z0-9]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```")

const (
	// maxFences and maxStarts bound the places at which JSON is looked for.
	maxFences = 16
	maxStarts = 64
)

// findJSON finds the JSON object that a text is, or has in it: after the
// thoughts of a model that writes them down, in a fence, or among words. It
// returns nil where there is none.
func findJSON(text string) json.RawMessage {
	if _, after, ok := strings.Cut(text, "</think>"); ok {
		text = after
	}
	text = strings.TrimSpace(text)
	if isObject([]byte(text)) {
		return json.RawMessage(text)
	}
	for _, m := range fence.FindAllStringSubmatch(text, maxFences) {
		if block := []byte(strings.TrimSpace(m[1])); isObject(block) {
			return block
		}
	}
	rest := text
	for range maxStarts {
		start := strings.IndexByte(rest, '{')
		if start < 0 {
			return nil
		}
		rest = rest[start:]
		var value json.RawMessage
		if json.NewDecoder(strings.NewReader(rest)).Decode(&value) == nil {
			return value
		}
		rest = rest[1:]
	}
	return nil
}

func isObject(text []byte) bool {
	return len(text) > 0 && text[0] == '{' && json.Valid(text)
}

// arguments are a call's arguments as valid JSON: none are an empty object, and
// what is not JSON is a string of it, so that a model can be shown what it
// wrote.
func arguments(text string) json.RawMessage {
	if strings.TrimSpace(text) == "" {
		return json.RawMessage("{}")
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return marshal(text)
}

// object is what is sent back where only an object is taken.
func object(doc json.RawMessage) json.RawMessage {
	if isObject(bytes.TrimSpace(doc)) {
		return doc
	}
	return marshal(map[string]string{"invalid": string(doc)})
}

// marshal writes strings, and maps of what was JSON before.
func marshal(value any) json.RawMessage {
	data, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}

// modelName is what a provider may call the model that has answered.
var modelName = regexp.MustCompile(`^[A-Za-z0-9@][A-Za-z0-9@._:/+-]{0,127}$`)

// answered is the model's name as the provider says it; empty if it is not one.
func answered(name string) string {
	if !modelName.MatchString(name) {
		return ""
	}
	return name
}
