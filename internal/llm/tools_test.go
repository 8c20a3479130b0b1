package llm

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/llmfake"
)

var readTool = Tool{Name: "read_file", Description: "Reads.", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}`)}

// TestToolLoop runs a loop of two rounds, with thoughts that must go back as
// they came.
func TestToolLoop(t *testing.T) {
	for _, d := range dialects {
		for _, whole := range []bool{false, true} {
			t.Run(string(d), func(t *testing.T) {
				fake, models := world(t, nil)
				m := alias(t, models, string(d))
				fake.Script(llmfake.Step{Thinking: "I should read it. I should read it well.", Whole: whole, Calls: []llmfake.Call{
					{Name: "read_file", Arguments: `{"path":"a.go"}`}, {Name: "read_file", Arguments: `{"path":"b.go"}`},
				}})
				req := Request{Messages: []Message{Say("go")}, Tools: []Tool{readTool}}
				resp, err := m.Complete(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if resp.Stop != StopTools || len(resp.Calls) != 2 || string(resp.Calls[1].Arguments) != `{"path":"b.go"}` || resp.Calls[0].ID == resp.Calls[1].ID {
					t.Fatalf("response %+v", resp)
				}
				req.Messages = append(req.Messages, resp.Message(), Results(
					ToolResult{CallID: resp.Calls[0].ID, Name: "read_file", Content: "package a"},
					ToolResult{CallID: resp.Calls[1].ID, Name: "read_file", Content: "no such file", Failed: true},
				))
				if _, err := m.Complete(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				last := fake.Requests()[1]
				if last.Results != 2 || !strings.Contains(last.Prompt, "package a") {
					t.Errorf("the second request has %d results, prompt %q", last.Results, last.Prompt)
				}
				back := map[Dialect]string{
					OpenAI:    `"reasoning_content":"I should read it. I should read it well."`,
					Anthropic: `"signature":"c2lnbmVkIGJ5IHRoZSBmYWtl","thinking":"I should read it. I should read it well."`,
					Gemini:    `"thoughtSignature":"c2lnbmVkIGJ5IHRoZSBmYWtl"`,
				}[d]
				if !strings.Contains(string(last.Body), back) {
					t.Errorf("%s did not go back: %s", back, last.Body)
				}
			})
		}
	}
}

// TestForeignThoughts leaves one provider's thoughts out of another's requests.
func TestForeignThoughts(t *testing.T) {
	fake, models := world(t, nil)
	fake.Script(llmfake.Step{Thinking: "kept apart", Calls: []llmfake.Call{{Name: "read_file", Arguments: `{}`}}})
	first, err := alias(t, models, "anthropic").Complete(t.Context(), Request{Messages: []Message{Say("go")}, Tools: []Tool{readTool}})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"openai", "gemini"} {
		fake.Forget()
		_, err := alias(t, models, other).Complete(t.Context(), Request{Messages: []Message{
			Say("go"), first.Message(), Results(ToolResult{CallID: first.Calls[0].ID, Name: "read_file", Content: "x"}),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if fake.Saw("kept apart") || !fake.Saw("read_file") {
			t.Errorf("%s was sent %s", other, fake.Requests()[0].Body)
		}
	}
}

// TestSloppyTools reads calls without index and ID, and "stop" for a reason.
func TestSloppyTools(t *testing.T) {
	for _, whole := range []bool{false, true} {
		fake, models := world(t, nil)
		fake.Script(llmfake.Step{Sloppy: true, Whole: whole, Calls: []llmfake.Call{
			{Name: "a", Arguments: `{"n":1}`}, {Name: "b", Arguments: `not json`}, {Name: "c"},
		}})
		resp, err := alias(t, models, "openai").Complete(t.Context(), Request{Messages: []Message{Say("go")}})
		if err != nil {
			t.Fatal(err)
		}
		want := []ToolCall{
			{ID: "call_0", Name: "a", Arguments: json.RawMessage(`{"n":1}`)},
			{ID: "call_1", Name: "b", Arguments: json.RawMessage(`"not json"`)},
			{ID: "call_2", Name: "c", Arguments: json.RawMessage(`{}`)},
		}
		if d := cmp.Diff(want, resp.Calls); d != "" || resp.Stop != StopTools {
			t.Errorf("stop %s, calls: %s", resp.Stop, d)
		}
	}
}

// TestPieces puts calls together from pieces as servers have been seen to send
// them.
func TestPieces(t *testing.T) {
	tests := map[string][]string{
		"by index": {
			`{"index":0,"id":"x","function":{"name":"a","arguments":""}}`, `{"index":1,"id":"y","function":{"name":"b"}}`,
			`{"index":1,"function":{"arguments":"{\"n\":2}"}}`, `{"index":0,"function":{"arguments":"{\"n\":1}"}}`,
		},
		"by ID": {
			`{"id":"x","function":{"name":"a","arguments":"{\"n\""}}`, `{"id":"x","function":{"arguments":":1}"}}`,
			`{"id":"y","function":{"name":"b","arguments":"{\"n\":2}"}}`,
		},
		"all index 0": {
			`{"index":0,"id":"x","function":{"name":"a","arguments":"{\"n\":1}"}}`, `{"index":0,"id":"y","function":{"name":"b","arguments":"{\"n\":2}"}}`,
		},
		"in order": {
			`{"id":"x","function":{"name":"a"}}`, `{"function":{"arguments":"{\"n\":1}"}}`, `{"id":"y","function":{"name":"b"}}`, `{"function":{"arguments":"{\"n\":2}"}}`,
		},
	}
	for name, pieces := range tests {
		r := &openAIReader{}
		for _, p := range pieces {
			if err := r.event([]byte(`{"choices":[{"delta":{"tool_calls":[` + p + `]}}]}`)); err != nil {
				t.Fatal(err)
			}
		}
		resp, _ := r.answer()
		want := []ToolCall{{ID: "x", Name: "a", Arguments: json.RawMessage(`{"n":1}`)}, {ID: "y", Name: "b", Arguments: json.RawMessage(`{"n":2}`)}}
		if d := cmp.Diff(want, resp.Calls); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestCacheMarks asks Anthropic to remember what is said to stay, and reads
// what was remembered in all dialects.
func TestCacheMarks(t *testing.T) {
	fake, models := world(t, nil)
	big := strings.Repeat("long ", 2000)
	req := Request{System: big, CacheSystem: true, Tools: []Tool{readTool}, Messages: []Message{
		{Role: User, Parts: []Part{{Text: "one"}}, Cache: true}, {Role: Assistant, Parts: []Part{{Text: "two"}}, Cache: true},
		{Role: User, Parts: []Part{{Text: "three"}}, Cache: true}, {Role: Assistant, Parts: []Part{{Text: "four"}}},
		{Role: User, Parts: []Part{{Text: "five"}}, Cache: true},
	}}
	for _, d := range dialects {
		resp, err := alias(t, models, string(d)).Complete(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Usage.Cached == 0 || resp.Usage.Cached >= resp.Usage.Input {
			t.Errorf("%s: usage %+v", d, resp.Usage)
		}
	}
	for _, r := range fake.Requests() {
		marks, want := strings.Count(string(r.Body), "cache_control"), 0
		if r.Dialect == "anthropic" {
			want = 4
			if strings.Contains(string(r.Body), `"text":"one","cache_control"`) {
				t.Error("the first of four messages is marked, which is one too many")
			}
		}
		if marks != want {
			t.Errorf("%s: %d marks, want %d", r.Dialect, marks, want)
		}
	}
}
