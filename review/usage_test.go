package review

import "testing"

func TestUsageAdd(t *testing.T) {
	one, two := 1.0, 2.0
	priced := Usage{Model: "m", Calls: 1, Input: 10, Cached: 4, Output: 2, USD: &one}
	tests := []struct {
		name string
		u, v Usage
		want Usage
		usd  *float64
	}{
		{"nothing and something", Usage{}, priced, priced, &one},
		{"something and nothing", priced, Usage{}, priced, &one},
		{"both", priced, priced, Usage{Model: "m", Calls: 2, Input: 20, Cached: 8, Output: 4}, &two},
		{"one without a price", priced, Usage{Model: "n", Calls: 1}, Usage{Model: "m", Calls: 2, Input: 10, Cached: 4, Output: 2}, nil},
		{"one that was saved", Usage{Saved: 7}, priced, Usage{Model: "m", Calls: 1, Input: 10, Cached: 4, Output: 2, Saved: 7}, &one},
	}
	for _, tt := range tests {
		got := tt.u.Add(tt.v)
		if (got.USD == nil) != (tt.usd == nil) || got.USD != nil && *got.USD != *tt.usd {
			t.Errorf("%s: price %v", tt.name, got.USD)
		}
		got.USD, tt.want.USD = nil, nil
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if one != 1 {
		t.Error("a sum changed what it was made of")
	}
}
