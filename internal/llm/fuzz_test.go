package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"assay/internal/llmfake"
)

// FuzzEvents holds that the reader of streams ends, gives the same however the
// bytes come, and invents nothing.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		"data: {}\n\ndata: [DONE]\n\n", ": ping\n\nevent: x\r\ndata: a\r\ndata:b\r\n\r\n", "data:", "data: no end", "\n\n\n", "data:\n\n", "id: 1\nretry: 5\n",
	} {
		f.Add([]byte(seed))
	}
	read := func(r io.Reader) (all [][]byte, alive int) {
		e := newEvents(r, func() { alive++ })
		for {
			data, err := e.next()
			if errors.Is(err, io.EOF) {
				return all, alive
			}
			if err != nil {
				panic(err)
			}
			all = append(all, bytes.Clone(data))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		all, alive := read(bytes.NewReader(stream))
		slow, again := read(iotest.OneByteReader(bytes.NewReader(stream)))
		if len(all) != len(slow) || alive != again {
			t.Fatalf("%d events and %d lines at once, %d and %d in bytes", len(all), alive, len(slow), again)
		}
		size := 0
		for i, data := range all {
			size += len(data)
			if !bytes.Equal(data, slow[i]) {
				t.Fatalf("event %d is %q at once, %q in bytes", i, data, slow[i])
			}
		}
		if size > len(stream) {
			t.Fatalf("%d bytes of data out of %d", size, len(stream))
		}
	})
}

// seedAnswers records what the scripted server says to a dialect's requests.
func seedAnswers(f *testing.F, d Dialect) {
	for _, step := range []llmfake.Step{
		{Text: "hello"}, {Text: "hello", Whole: true}, {Thinking: "hm", Calls: []llmfake.Call{{Name: "a", Arguments: `{"n":1}`}}},
		{Mode: llmfake.Refusal}, {Mode: llmfake.Filtered}, {Mode: llmfake.StreamError, Text: "some longer text that comes in several pieces, so that there is a middle"},
		{Sloppy: true, Whole: true, Calls: []llmfake.Call{{Name: "a", Arguments: `{`}}},
	} {
		fake, models := world(f, nil)
		fake.Script(step)
		m := alias(f, models, string(d)).(*chain)
		e := m.endpoints[0]
		req := &Request{Messages: []Message{Say("x")}, MaxTokens: 5}
		body, err := json.Marshal(e.provider.wire.body("m", e.name, req, ways{}))
		if err != nil {
			f.Fatal(err)
		}
		resp, err := e.provider.send(f.Context(), "m", body)
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			f.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(data, step.Whole)
	}
}

func FuzzOpenAI(f *testing.F)    { fuzzReader(f, OpenAI, openAI{}) }
func FuzzAnthropic(f *testing.F) { fuzzReader(f, Anthropic, anthropic{}) }
func FuzzGemini(f *testing.F)    { fuzzReader(f, Gemini, gemini{}) }

// fuzzReader holds of an answer, whatever it is, that it can be taken apart,
// stored, and sent back as valid JSON.
func fuzzReader(f *testing.F, d Dialect, w wire) {
	seedAnswers(f, d)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		r := w.reader("p/m")
		if whole {
			_ = r.whole(data)
		} else {
			events := newEvents(bytes.NewReader(data), func() {})
			for {
				event, err := events.next()
				if err != nil || r.event(event) != nil {
					break
				}
			}
		}
		resp, _ := r.answer()
		for _, call := range resp.Calls {
			if !json.Valid(call.Arguments) || call.ID == "" {
				t.Fatalf("call %+v", call)
			}
		}
		if u := resp.Usage; u.Input < 0 || u.Output < 0 || u.Cached < 0 || u.CacheWrites < 0 {
			t.Fatalf("usage %+v", u)
		}
		switch resp.Stop {
		case StopEnd, StopTools, StopLength, StopRefusal, StopFilter:
		default:
			t.Fatalf("stop %q", resp.Stop)
		}
		if _, err := json.Marshal(resp); err != nil {
			t.Fatal(err)
		}
		for _, origin := range []string{"p/m", "q/m"} {
			for _, to := range []wire{openAI{}, anthropic{}, gemini{}} {
				req := &Request{Messages: []Message{Say("x"), resp.Message()}, MaxTokens: 1}
				if _, err := json.Marshal(to.body("m", origin, req, ways{})); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// FuzzFindJSON holds that what is found is an object, and of the text.
func FuzzFindJSON(f *testing.F) {
	for _, seed := range []string{"```json\n{\"a\":1}\n```", "x {y} {\"a\":{}} z", "</think>{}", "{", "{\"a\":1e9999999}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc := findJSON(text)
		if doc != nil && (!isObject(doc) || !bytes.Contains([]byte(text), doc)) {
			t.Fatalf("found %q", doc)
		}
		findingsSchema.validate(doc)
	})
}

// FuzzRefusals holds that no refusal can make an error say its words.
func FuzzRefusals(f *testing.F) {
	f.Add(400, `{"error":{"message":"maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."}}`)
	f.Add(429, `{"error":{"code":"insufficient_quota","retryDelay":"5s"}}`)
	f.Add(529, `"overloaded_error"`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		const mark = "kanarie"
		for _, err := range []error{
			statusError("p/m", status, nil, []byte(mark+body+mark), builtInDay),
			streamError("p/m", []byte(mark+body)), streamError("p/m", []byte(body)),
		} {
			if err == nil || bytes.Contains([]byte(err.Error()), []byte(mark)) {
				t.Fatalf("error %v", err)
			}
		}
	})
}
