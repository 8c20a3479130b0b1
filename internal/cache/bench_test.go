package cache

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const benchKeys = 1000

func filled(b *testing.B) (*Cache[string, int], []string) {
	b.Helper()
	c := create[string, int](b, Config[int]{TTL: time.Hour})
	keys := make([]string, benchKeys)
	for i := range keys {
		keys[i] = "owner/repository@" + strconv.Itoa(i)
		if _, err := c.Get(b.Context(), keys[i], value(i)); err != nil {
			b.Fatal(err)
		}
	}
	return c, keys
}

func neverLoad(context.Context) (int, error) { panic("a hit was a miss") }

// BenchmarkHit is what a value costs that is there.
func BenchmarkHit(b *testing.B) {
	c, keys := filled(b)
	ctx := b.Context()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if _, err := c.Get(ctx, keys[i%benchKeys], neverLoad); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHitParallel is the same from all processors at once.
func BenchmarkHitParallel(b *testing.B) {
	c, keys := filled(b)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := c.Get(ctx, keys[i%benchKeys], neverLoad); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hits/s")
}

// BenchmarkMiss is what a load costs beyond itself.
func BenchmarkMiss(b *testing.B) {
	c := create[int, int](b, Config[int]{})
	ctx, load := b.Context(), value(1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if _, err := c.Get(ctx, i, load); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStampede has 1,000 callers ask for one key that is not there, whose
// load takes 10 ms.
func BenchmarkStampede(b *testing.B) {
	c := create[int, int](b, Config[int]{})
	var loads atomic.Int64
	load := func(context.Context) (int, error) {
		loads.Add(1)
		time.Sleep(10 * time.Millisecond)
		return 1, nil
	}
	round := 0
	for b.Loop() {
		round++
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				if _, err := c.Get(b.Context(), round, load); err != nil {
					b.Error(err)
				}
			})
		}
		callers.Wait()
	}
	b.ReportMetric(float64(loads.Load())/float64(round), "loads/op")
	if loads.Load() != int64(round) {
		b.Errorf("%d loads in %d rounds", loads.Load(), round)
	}
}
