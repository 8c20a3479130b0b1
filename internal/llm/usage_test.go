package llm

import (
	"math"
	"strings"
	"testing"
	"time"

	"assay/review"
)

func usd(n float64) *float64 { return &n }

func TestPrices(t *testing.T) {
	table := builtInPrices()
	if _, err := time.Parse(time.DateOnly, table.Date); err != nil || len(table.Prices) == 0 || PricesDate() != table.Date {
		t.Fatalf("table of %q with %d prices: %v", table.Date, len(table.Prices), err)
	}
	for name, p := range table.Prices {
		dialect, _, _ := strings.Cut(name, "/")
		if p.Input <= 0 || p.Output < p.Input || p.Cached < 0 || p.Cached > p.Input || table.Sources[dialect] == "" {
			t.Errorf("%s: %+v", name, p)
		}
		if _, err := time.Parse(time.DateOnly, p.Until); p.Until != "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	vendor := &provider{dialect: Anthropic, vendor: true}
	own := map[string]Price{"local/llama": {Input: 1, Output: 2}}
	for ref, want := range map[Ref]bool{
		{"anthropic", "claude-haiku-4-5"}: true, {"anthropic", "claude-haiku-4-5-20251001"}: true, {"anthropic", "claude-haiku-4-5-turbo"}: false,
		{"anthropic", "claude-haiku-4"}: false, {"local", "llama"}: true, {"local", "llama-2026-01-01"}: true,
	} {
		if got := priceOf(ref, vendor, own); (got != nil) != want {
			t.Errorf("price of %s: %v", ref, got)
		}
	}
	if priceOf(Ref{"anthropic", "claude-haiku-4-5"}, &provider{dialect: Anthropic}, nil) != nil {
		t.Error("another's address has the vendor's price")
	}
}

func TestPriceOfACall(t *testing.T) {
	p := &Price{Input: 2, Cached: 0.5, CacheWrite: 3, Output: 10, MaxInput: 2_000_000, Until: "2026-12-31"}
	day := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	got := p.of(Usage{Input: 1_000_000, Cached: 400_000, CacheWrites: 100_000, Output: 200_000}, day)
	if want := 0.5*2 + 0.4*0.5 + 0.1*3 + 0.2*10; got == nil || math.Abs(*got-want) > 1e-9 {
		t.Errorf("price %v, want %v", *got, want)
	}
	if p.of(Usage{Input: 3_000_000}, day) != nil || p.of(Usage{Input: 1}, day.Add(2*time.Hour)) != nil || (*Price)(nil).of(Usage{}, day) != nil {
		t.Error("a price beyond its bounds")
	}
}

func TestUsageAdds(t *testing.T) {
	a := Usage{Input: 10, Cached: 5, Output: 3, Calls: 1, USD: usd(1)}
	if sum := (Usage{}).Add(a); *sum.USD != 1 || sum.Calls != 1 {
		t.Errorf("sum %+v", sum)
	}
	if sum := a.Add(a); *sum.USD != 2 || sum.Input != 20 || sum.Cached != 10 || sum.Output != 6 || sum.Calls != 2 || *a.USD != 1 {
		t.Errorf("sum %+v", sum)
	}
	if sum := a.Add(Usage{Calls: 1}); sum.USD != nil {
		t.Errorf("a sum with an unknown price is %v", *sum.USD)
	}
	if got := a.Review("p/m"); got != (review.Usage{Model: "p/m", Calls: 1, Input: 10, Cached: 5, Output: 3, USD: a.USD}) {
		t.Errorf("review usage %+v", got)
	}
}

// TestEstimate compares with counts that OpenAI's o200k_base has made.
func TestEstimate(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"The quick brown fox jumps over the lazy dog.", 10},
		{"func (c *Client) Do(req *http.Request) (*http.Response, error) {\n\tif err := req.Context().Err(); err != nil {\n\t\treturn nil, err\n\t}\n}\n", 40},
		{"golang.org/x/text v0.43.0 h1:qk0mYh9n7oV3p8d1m0pQd8l1GkS7rFZ2v5qZr1c0b9E=\n", 57},
		{"{\"path\": \"db/users.go\", \"line\": 12345, \"severity\": \"high\"}", 21},
		{"审查这个更改并报告问题。", 9},
		{"+\tx := map[string][]int{\"a\": {1, 2, 3}, \"b\": {4, 5, 6}}\n", 31},
	} {
		if got := Estimate(tt.text); got < tt.want || got > 2*tt.want+2 {
			t.Errorf("Estimate(%q) = %d of %d tokens", tt.text, got, tt.want)
		}
	}
	small := EstimateRequest(Request{Messages: []Message{Say("go")}})
	for name, r := range map[string]Request{
		"system": {System: "a b c", Messages: []Message{Say("go")}}, "tools": {Tools: []Tool{readTool}, Messages: []Message{Say("go")}},
		"schema": {Schema: findingsSchema, Messages: []Message{Say("go")}}, "result": {Messages: []Message{Say("go"), Results(ToolResult{Content: "a b c"})}},
	} {
		if EstimateRequest(r) <= small {
			t.Errorf("%s costs nothing", name)
		}
	}
}
