package llm

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

var builtInDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// BenchmarkOverhead is what a call costs here, with an answer of 300 pieces
// and no network.
func BenchmarkOverhead(b *testing.B) {
	piece := `data: {"model":"m","choices":[{"index":0,"delta":{"content":"some words"},"finish_reason":null}]}` + "\n\n"
	stream := strings.Repeat(piece, 300) + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	models, err := New(Config{
		Providers: map[string]Provider{"p": {Dialect: OpenAI, BaseURL: "http://127.0.0.1:1"}}, Aliases: map[string][]Ref{"default": {{"p", "m"}}},
		Wrap: func(http.RoundTripper) http.RoundTripper {
			return roundTrip(func(*http.Request) (*http.Response, error) {
				resp := answerOf(stream)
				resp.Header.Set("Content-Type", "text/event-stream")
				return resp, nil
			})
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	m, _ := models.Alias("default")
	req := Request{System: "You review.", Messages: []Message{Say(strings.Repeat("+ a line of code\n", 3000))}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Complete(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefused is what a call to a dead provider costs.
func BenchmarkRefused(b *testing.B) {
	models, err := New(Config{
		Providers: map[string]Provider{"p": {Dialect: OpenAI, BaseURL: "http://127.0.0.1:1"}}, Aliases: map[string][]Ref{"default": {{"p", "m"}}},
		Wrap: func(http.RoundTripper) http.RoundTripper {
			return roundTrip(func(*http.Request) (*http.Response, error) { return nil, errCut })
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	m, _ := models.Alias("default")
	for b.Loop() {
		if _, err := m.Complete(b.Context(), Request{Messages: []Message{Say("go")}}); err == nil {
			b.Fatal("an answer")
		}
	}
}
