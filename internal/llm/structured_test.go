package llm

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"assay/internal/fault"
	"assay/internal/llmfake"
)

func TestStructured(t *testing.T) {
	const good = `{"summary": "s", "examined": ["a.go"], "findings": []}`
	tests := []struct {
		name  string
		steps []llmfake.Step
		// requests is the number there should be; bad says that it should fail.
		requests int
		bad      bool
	}{
		{name: "good", steps: nil, requests: 1},
		{name: "in a fence, among words", steps: []llmfake.Step{{Mode: llmfake.Fenced}}, requests: 1},
		{name: "after thoughts", steps: []llmfake.Step{{Text: "<think>{\"a\": 1}, or not?</think>\n" + good}}, requests: 1},
		{name: "among words", steps: []llmfake.Step{{Text: "Here {you} are: " + good + " Bye."}}, requests: 1},
		{name: "wrong schema, then repaired", steps: []llmfake.Step{{Mode: llmfake.WrongSchema}}, requests: 2},
		{name: "words, then repaired", steps: []llmfake.Step{{Text: "I would rather talk about it."}}, requests: 2},
		{name: "empty, then repaired", steps: []llmfake.Step{{Mode: llmfake.Empty}}, requests: 2},
		{name: "NaN, then repaired", steps: []llmfake.Step{{Text: strings.Replace(good, "[]", `[{"line": NaN}]`, 1)}}, requests: 2},
		{name: "line 10^9, then repaired", steps: []llmfake.Step{{Text: strings.Replace(good, "[]", `[{"path":"a","quote":"q","claim":"c","severity":"low","line":1000000000}]`, 1)}}, requests: 2},
		{name: "a number no machine holds", steps: []llmfake.Step{{Text: strings.Replace(good, "[]", `[{"path":"a","quote":"q","claim":"c","severity":"low","line":1e9999999}]`, 1)}}, requests: 2},
		{name: "wrong twice", steps: []llmfake.Step{{Mode: llmfake.WrongSchema}, {Mode: llmfake.WrongSchema}}, requests: 2, bad: true},
		{name: "half a document twice", steps: []llmfake.Step{{Text: good[:20]}, {Text: good[:20]}}, requests: 2, bad: true},
	}
	for _, d := range dialects {
		for _, tt := range tests {
			t.Run(string(d)+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				fake, models := world(t, nil)
				fake.Script(tt.steps...)
				got, resp, err := Structured[findings](t.Context(), alias(t, models, string(d)), Request{Messages: []Message{Say(diffPrompt)}}, findingsSchema)
				noCanary(t, err)
				if n := len(fake.Requests()); n != tt.requests {
					t.Errorf("%d requests, want %d", n, tt.requests)
				}
				if tt.bad {
					e, ok := errors.AsType[*SchemaError](err)
					if !ok || fault.KindOf(err) != fault.Invalid {
						t.Fatalf("error %v, want a SchemaError", err)
					}
					if e.Response.Usage.Calls != 2 || got.Summary != "" {
						t.Errorf("usage %+v, value %+v", e.Response.Usage, got)
					}
					if model, usage := UsageOf(err); model != string(d)+"/m" || usage.Calls != 2 {
						t.Errorf("UsageOf = %s, %+v", model, usage)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Examined) == 0 || got.Summary == "" || resp.Usage.Calls != tt.requests {
					t.Errorf("got %+v, usage %+v", got, resp.Usage)
				}
			})
		}
	}
}

// TestForms goes down the ladder of ways to ask for structure, once.
func TestForms(t *testing.T) {
	for _, d := range dialects {
		t.Run(string(d), func(t *testing.T) {
			fake, models := world(t, nil)
			m := alias(t, models, string(d))
			fake.Otherwise(llmfake.Step{Mode: llmfake.NoFormat})
			ask := func() findings {
				got, _, err := Structured[findings](t.Context(), m, Request{System: "You review.", Messages: []Message{Say(diffPrompt)}}, findingsSchema)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			got := ask()
			rungs := 4
			if d == Anthropic {
				rungs = 3
			}
			if n := len(fake.Requests()); n != rungs {
				t.Errorf("%d requests until it worked, want %d", n, rungs)
			}
			if len(got.Findings) != 1 || got.Findings[0].Path != "db/users.go" {
				t.Errorf("got %+v", got)
			}
			fake.Forget()
			ask()
			if n := len(fake.Requests()); n != 1 {
				t.Errorf("%d requests when it had learned, want 1", n)
			}
		})
	}
}

// TestForcedTool takes the answer from a tool's arguments, other tools or not.
func TestForcedTool(t *testing.T) {
	for _, d := range dialects {
		for _, tools := range [][]Tool{nil, {{Name: "grep", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`)}}} {
			fake, models := world(t, nil)
			fake.Answer(func(r llmfake.Request) llmfake.Step {
				if r.Forced == "" {
					return llmfake.Step{Mode: llmfake.NoFormat}
				}
				return llmfake.Step{}
			})
			got, resp, err := Structured[findings](t.Context(), alias(t, models, string(d)), Request{Messages: []Message{Say(diffPrompt)}, Tools: tools}, findingsSchema)
			if err != nil {
				t.Fatalf("%s, %d tools: %v", d, len(tools), err)
			}
			if len(got.Findings) != 1 || resp.Stop != StopEnd || resp.Calls != nil {
				t.Errorf("%s, %d tools: got %+v, %+v", d, len(tools), got, resp)
			}
		}
	}
}

// TestUnexplainedRefusal tries other forms only where none has worked yet, and
// shows the first refusal when nothing helps.
func TestUnexplainedRefusal(t *testing.T) {
	var refuse atomic.Bool
	var requests atomic.Int64
	fake := llmfake.New()
	m := handlerModels(t, OpenAI, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if refuse.Load() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fake.ServeHTTP(w, r)
	})
	ask := func() (int64, error) {
		requests.Store(0)
		_, _, err := Structured[findings](t.Context(), m, Request{Messages: []Message{Say(diffPrompt)}}, findingsSchema)
		return requests.Load(), err
	}
	refuse.Store(true)
	if n, err := ask(); fault.KindOf(err) != fault.Invalid || n != 4 {
		t.Errorf("%d requests, error %v; want one for each form", n, err)
	}
	refuse.Store(false)
	if n, err := ask(); err != nil || n != 1 {
		t.Errorf("%d requests, error %v", n, err)
	}
	refuse.Store(true)
	if n, err := ask(); fault.KindOf(err) != fault.Invalid || n != 1 {
		t.Errorf("%d requests, error %v; want 1 for a form that has worked", n, err)
	}
}

func TestSchema(t *testing.T) {
	for name, doc := range map[string]string{
		"not JSON":          `{`,
		"not an object":     `{"type": "array"}`,
		"not a schema":      `{"type": "object", "properties": 7}`,
		"leads elsewhere":   `{"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}`,
		"leads to the net":  `{"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}`,
		"not a good regexp": `{"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}`,
	} {
		if _, err := NewSchema("s", []byte(doc)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewSchema("a name", []byte(`{"type":"object"}`)); err == nil {
		t.Error("a name with a space is taken")
	}
	if !findingsSchema.strict {
		t.Error("the findings' schema is not strict")
	}
	if MustSchema("s", `{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"}}}},"required":["a"],"additionalProperties":false}`).strict {
		t.Error("a schema with an open object inside is strict")
	}
	number := MustSchema("n", `{"type":"object","properties":{"n":{"type":"number"}}}`)
	for doc, ok := range map[string]bool{`{"n":1e300}`: true, `{"n":1e400}`: false, `{"n":-1e999999}`: false, `{"n":[{"m":1e400}]}`: false} {
		if err := number.Validate([]byte(doc)); (err == nil) != ok {
			t.Errorf("%s: %v", doc, err)
		}
	}
	err := findingsSchema.Validate([]byte(`{"summary": "` + promptCanary + `", "examined": [], "findings": [], "` + promptCanary + `": 1}`))
	if err == nil {
		t.Error("an unknown property fits")
	}
	noCanary(t, err)
}

func TestFindJSON(t *testing.T) {
	deep := strings.Repeat("{", 100_000)
	for text, want := range map[string]string{
		`{"a":1}`:                            `{"a":1}`,
		"```json\n{\"a\":1}\n```":            `{"a":1}`,
		"```\r\n{\"a\":1}\r\n```":            `{"a":1}`,
		"x ```json\n[1]\n```\n{\"b\":2}":     `{"b":2}`,
		"no {braces} but {\"b\": {}} ok":     `{"b": {}}`,
		"<think>{\"no\":1}</think>{\"a\":1}": `{"a":1}`,
		`[{"a":1}]`:                          `{"a":1}`,
		"nothing":                            "",
		"":                                   "",
		deep:                                 "",
	} {
		if got := string(findJSON(text)); got != want {
			t.Errorf("findJSON(%.40q) = %q, want %q", text, got, want)
		}
	}
}
