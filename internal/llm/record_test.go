package llm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/internal/fault"
	"assay/internal/llmfake"
)

type list []Recording

func (l *list) Record(_ context.Context, r Recording) { *l = append(*l, r) }

func masked(text string) string { return strings.ReplaceAll(text, promptCanary, "[masked]") }

// TestReplay records a loop with a tool, a repair and failures, and plays it
// again without a server.
func TestReplay(t *testing.T) {
	var tape list
	fake, models := world(t, func(c *Config) { c.Recorder, c.Mask = &tape, masked })
	steps := []llmfake.Step{
		{Thinking: promptCanary, Calls: []llmfake.Call{{Name: "read_file", Arguments: `{"path":"` + promptCanary + `"}`}}},
		{Mode: llmfake.WrongSchema}, {Mode: llmfake.Good}, {Mode: llmfake.Length}, {Mode: llmfake.BadKey},
	}
	type outcome struct {
		Value findings
		Resp  Response
		Err   string
		Kind  fault.Kind
		Cut   bool
	}
	run := func(m Model) (all []outcome) {
		note := func(v findings, r Response, err error) {
			o := outcome{Value: v, Resp: redactResponse(r, masked), Kind: fault.KindOf(err)}
			if err != nil {
				_, o.Cut = errors.AsType[*AnswerError](err)
				o.Err = err.Error()
			}
			all = append(all, o)
		}
		req := Request{System: promptCanary, Messages: []Message{Say(diffPrompt)}, Tools: []Tool{readTool}}
		v, resp, err := Structured[findings](t.Context(), m, req, findingsSchema)
		note(v, resp, err)
		req.Messages = append(req.Messages, resp.Message(), Results(ToolResult{CallID: resp.Calls[0].ID, Name: "read_file", Content: promptCanary}))
		v, resp, err = Structured[findings](t.Context(), m, req, findingsSchema)
		note(v, resp, err)
		for _, text := range []string{"cut", "key"} {
			resp, err = m.Complete(t.Context(), Request{Messages: []Message{Say(text)}})
			note(findings{}, resp, err)
		}
		return all
	}
	fake.Script(steps...)
	live := run(alias(t, models, "anthropic"))
	if len(tape) != len(steps) {
		t.Fatalf("%d recordings of %d calls", len(tape), len(steps))
	}
	data, err := json.Marshal(tape)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), promptCanary) || strings.Contains(string(data), keyCanary) || strings.Contains(string(data), "signature") {
		t.Errorf("the tape shows what it must not: %s", data)
	}
	var stored []Recording
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	played := run(NewReplay("anthropic", stored, masked))
	if d := cmp.Diff(live, played, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestReplayOfTheUnknown(t *testing.T) {
	_, err := NewReplay("r", nil, nil).Complete(t.Context(), Request{Messages: []Message{Say("go")}})
	if e, ok := errors.AsType[*NotRecordedError](err); !ok || e.Hash == "" || fault.KindOf(err) != fault.Invalid {
		t.Errorf("error %v", err)
	}
}

// TestHash is the same for what is the same to a model, and no other.
func TestHash(t *testing.T) {
	base := func() Request {
		return Request{System: "s", Messages: []Message{Say("a")}, Tools: []Tool{readTool}, Schema: findingsSchema, MaxTokens: 5}
	}
	want := Redact(base(), nil).Hash()
	same := map[string]func(*Request){
		"account": func(r *Request) { r.Account = "x" }, "cache": func(r *Request) { r.CacheSystem, r.Messages[0].Cache = true, true },
	}
	for name, change := range same {
		r := base()
		if change(&r); Redact(r, nil).Hash() != want {
			t.Errorf("%s changes the hash", name)
		}
	}
	warm := 1.0
	other := map[string]func(*Request){
		"system": func(r *Request) { r.System = "t" }, "messages": func(r *Request) { r.Messages[0].Parts[0].Text = "b" },
		"tools": func(r *Request) { r.Tools = nil }, "schema": func(r *Request) { r.Schema = nil },
		"bound": func(r *Request) { r.MaxTokens = 6 }, "temperature": func(r *Request) { r.Temperature = &warm },
	}
	for name, change := range other {
		r := base()
		if change(&r); Redact(r, nil).Hash() == want {
			t.Errorf("%s does not change the hash", name)
		}
	}
}
