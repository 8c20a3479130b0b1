package llm

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"sync"
	"time"
)

// Price is what a model costs, in US dollars for a million tokens.
type Price struct {
	Input  float64 `json:"input"`
	Cached float64 `json:"cached"`
	// CacheWrite is what input costs that the provider is told to remember.
	CacheWrite float64 `json:"cache_write"`
	Output     float64 `json:"output"`
	// MaxInput is the longest request that the price is for, in tokens; 0 for
	// any. Until is its last day, as "2026-12-31"; empty for no such day. Beyond
	// them the price is not known.
	MaxInput int    `json:"max_input,omitempty"`
	Until    string `json:"until,omitempty"`
}

//go:embed prices.json
var pricesJSON []byte

// priceTable is prices.json.
type priceTable struct {
	// Date is the day that the prices are of, Sources say where they are from.
	Date    string            `json:"date"`
	Sources map[string]string `json:"sources"`
	Prices  map[string]Price  `json:"prices"`
}

var builtInPrices = sync.OnceValue(func() priceTable {
	var t priceTable
	if err := json.Unmarshal(pricesJSON, &t); err != nil {
		panic("llm: prices.json: " + err.Error()) // a test reads it
	}
	return t
})

// PricesDate is the day of the built-in prices, as "2026-01-31".
func PricesDate() string { return builtInPrices().Date }

// dated is the end of a model's name that pins its version.
var dated = regexp.MustCompile(`-(\d{4}-?\d{2}-?\d{2}|\d{3,4}|latest)$`)

// priceOf finds what a model costs; nil where it is not known. A dated version
// costs what the model does. At another address than the vendor's own, prices
// are another matter.
func priceOf(ref Ref, p *provider, own map[string]Price) *Price {
	undated := Ref{ref.Provider, dated.ReplaceAllString(ref.Model, "")}
	for _, name := range []string{ref.String(), undated.String()} {
		if price, ok := own[name]; ok {
			return &price
		}
	}
	if !p.vendor {
		return nil
	}
	for _, model := range []string{ref.Model, undated.Model} {
		if price, ok := builtInPrices().Prices[string(p.dialect)+"/"+model]; ok {
			return &price
		}
	}
	return nil
}

// of is the price of a call made now; nil where it is not known.
func (p *Price) of(u Usage, now time.Time) *float64 {
	if p == nil || p.MaxInput > 0 && u.Input > p.MaxInput || p.Until != "" && now.UTC().Format(time.DateOnly) > p.Until {
		return nil
	}
	plain := max(u.Input-u.Cached-u.CacheWrites, 0)
	usd := (float64(plain)*p.Input + float64(u.Cached)*p.Cached + float64(u.CacheWrites)*p.CacheWrite + float64(u.Output)*p.Output) / 1e6
	return &usd
}
