package guard

import (
	"context"
	"testing"
)

func work(context.Context) (int, error) { return 1, nil }

// BenchmarkBare is a call without a guard, to compare the others with.
func BenchmarkBare(b *testing.B) {
	ctx, call := b.Context(), work
	for b.Loop() {
		if _, err := call(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkClosed is what the guard adds to a call when all is well.
func BenchmarkClosed(b *testing.B) {
	d := dependency(b, Config{})
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Do(ctx, d, Call{Key: "installation/1", Idempotent: true}, work); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkClosedParallel is the same from all processors at once.
func BenchmarkClosedParallel(b *testing.B) {
	d := dependency(b, Config{MaxConcurrent: 1000})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := Do(b.Context(), d, Call{}, work); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkOpen is how fast a call fails while the breaker is open.
func BenchmarkOpen(b *testing.B) {
	d := dependency(b, Config{})
	fail(b, d, 5)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Do(ctx, d, Call{}, work); err == nil {
			b.Fatal("let through")
		}
	}
}

// BenchmarkStats is what a look at a dependency costs.
func BenchmarkStats(b *testing.B) {
	d := dependency(b, Config{})
	for b.Loop() {
		_ = d.Stats()
	}
}
