package llm

import (
	"errors"

	"assay/review"
)

// Usage is what one call took, in tokens.
type Usage struct {
	// Input is all that was sent; Cached is the part of it that the provider
	// had remembered, CacheWrites the part that it was paid to remember.
	Input       int `json:"input"`
	Cached      int `json:"cached,omitempty"`
	CacheWrites int `json:"cache_writes,omitempty"`
	// Output is all that the model wrote, its thinking included.
	Output int `json:"output"`
	// Estimated says that the provider told nothing, and Estimate did.
	Estimated bool `json:"estimated,omitempty"`
	// Calls is the number of requests that took it: 1, or more with a repair.
	Calls int `json:"calls"`
	// USD is the price; nil where it is not known.
	USD *float64 `json:"usd,omitempty"`
}

// Review is the usage as reports show it.
func (u Usage) Review(model string) review.Usage {
	return review.Usage{Model: model, Calls: u.Calls, Input: u.Input, Cached: u.Cached, Output: u.Output, USD: u.USD}
}

// Add sums up usage of the same model. The price is unknown if either is.
func (u Usage) Add(v Usage) Usage {
	if u.Calls == 0 {
		return v
	}
	if v.Calls == 0 {
		return u
	}
	sum := Usage{
		Input: u.Input + v.Input, Cached: u.Cached + v.Cached, CacheWrites: u.CacheWrites + v.CacheWrites,
		Output: u.Output + v.Output, Estimated: u.Estimated || v.Estimated, Calls: u.Calls + v.Calls,
	}
	if u.USD != nil && v.USD != nil {
		usd := *u.USD + *v.USD
		sum.USD = &usd
	}
	return sum
}

// UsageOf is what a call took that ended in err: an answer that was cut,
// refused or unfit has been paid for. The model is "provider/model"; empty
// when nothing is known to have been spent.
func UsageOf(err error) (model string, usage Usage) {
	if e, ok := errors.AsType[*AnswerError](err); ok {
		return e.Response.Model, e.Response.Usage
	}
	if e, ok := errors.AsType[*SchemaError](err); ok {
		return e.Response.Model, e.Response.Usage
	}
	if e, ok := errors.AsType[*SpentError](err); ok {
		return e.Model, e.Usage
	}
	return "", Usage{}
}
