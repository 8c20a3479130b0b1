package health

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/cache"
	"assay/internal/guard"
	"assay/internal/store"
)

// at is the moment of all times here.
var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func backlog(oldest time.Duration) func(context.Context) (store.Backlog, error) {
	return func(context.Context) (store.Backlog, error) {
		return store.Backlog{Jobs: map[string]int{"available": 2, "running": 1}, Oldest: oldest, DeadRuns: 3}, nil
	}
}

func breaker(state guard.State) func() []guard.Stats {
	return func() []guard.Stats {
		return []guard.Stats{
			{Name: "github.rest", State: guard.Closed, Since: at, Total: 9, Successes: 9},
			{
				Name: "llm.openai", State: state, Since: at, NextProbe: at.Add(time.Minute), FailuresInARow: 5, Total: 12, Failures: 5, Successes: 4,
				RejectedOpen: 1, RejectedLimited: 1, RejectedFull: 1, LastFailure: "dial with hunter22: refused",
			},
		}
	}
}

func TestStatus(t *testing.T) {
	commit := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	limit := func() []guard.Limit { return []guard.Limit{{Key: "installation/7", Until: at}} }
	for name, tt := range map[string]struct {
		sources Sources
		want    Status
		words   string
	}{
		"nothing to look at":      {Sources{}, Healthy, ""},
		"all well":                {Sources{Commit: commit(nil), Backlog: backlog(time.Minute), Breakers: breaker(guard.Closed)}, Healthy, "3 unfinished, the oldest for 1m0s"},
		"a breaker is open":       {Sources{Commit: commit(nil), Breakers: breaker(guard.Open)}, Degraded, "not closed: llm.openai"},
		"a breaker is half-open":  {Sources{Breakers: breaker(guard.HalfOpen)}, Degraded, "not closed: llm.openai"},
		"work does not get done":  {Sources{Backlog: backlog(16 * time.Minute)}, Degraded, "the oldest for 16m0s"},
		"an installation waits":   {Sources{Limits: limit}, Degraded, "1 rate limited"},
		"the queue is unreadable": {Sources{Backlog: func(context.Context) (store.Backlog, error) { return store.Backlog{}, errors.New("no such table") }}, Degraded, "no such table"},
		"the disk is full":        {Sources{Commit: commit(errors.New("disk is full")), Breakers: breaker(guard.Open)}, Unhealthy, "deliveries cannot be stored: disk is full"},
	} {
		got := tt.sources.Check(t.Context())
		if got.Status != tt.want {
			t.Errorf("%s: %s, want %s", name, got.Status, tt.want)
		}
		text, err := json.Marshal(got)
		if err != nil || !strings.Contains(string(text), tt.words) {
			t.Errorf("%s: the report lacks %q: %s, %v", name, tt.words, text, err)
		}
	}
}

// TestShape holds the answer to the shape that tools were told of.
func TestShape(t *testing.T) {
	s := Sources{
		Commit: func(context.Context) error { return nil }, Backlog: backlog(time.Minute), Breakers: breaker(guard.Open),
		Budgets: func() []Budget {
			return []Budget{{Installation: 7, Resource: "core", Limit: 5000, Remaining: 4999, Reset: at}}
		},
		Limits: func() []guard.Limit { return []guard.Limit{{Key: "installation/7", Until: at}} },
		Caches: func() []cache.Stats {
			return []cache.Stats{{Name: "config", TTL: time.Minute, Size: 2, MaxSize: 9, Hits: 3, Misses: 1, Loads: 1, Shared: 1, Evictions: 4}}
		},
		Censor: func(text string) string { return strings.ReplaceAll(text, "hunter22", "[secret]") },
	}
	text, err := json.MarshalIndent(s.Check(t.Context()), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.TrimSpace(shape), string(text)); d != "" {
		t.Error(d)
	}
	if got := s.CacheStats().Caches["config"]; got.HitRate != 0.75 || got.TTLSeconds != 60 || got.SharedLoads != 1 {
		t.Errorf("cache statistics %+v", got)
	}
	// Empty is not null: whoever reads it ranges over it.
	text, err = json.Marshal(Sources{}.Check(t.Context()))
	if err != nil || strings.Contains(string(text), "null") {
		t.Errorf("an empty report: %s, %v", text, err)
	}
}

const shape = `
{
 "status": "degraded",
 "checks": {
  "database": {
   "status": "healthy",
   "message": "deliveries can be stored"
  },
  "queue": {
   "status": "healthy",
   "message": "3 unfinished, the oldest for 1m0s",
   "jobs": {
    "available": 2,
    "running": 1
   },
   "oldestAgeSeconds": 60,
   "deadLetters": {
    "deliveries": 0,
    "runs": 3
   },
   "awaitingRuns": 0
  },
  "circuitBreakers": {
   "status": "degraded",
   "message": "not closed: llm.openai",
   "breakers": {
    "github.rest": {
     "name": "github.rest",
     "state": "CLOSED",
     "failures": 0,
     "since": "2026-03-01T12:00:00Z",
     "stats": {
      "total": 9,
      "failures": 0,
      "successes": 9,
      "rejections": 0
     }
    },
    "llm.openai": {
     "name": "llm.openai",
     "state": "OPEN",
     "failures": 5,
     "since": "2026-03-01T12:00:00Z",
     "nextProbe": "2026-03-01T12:01:00Z",
     "lastFailure": "dial with [secret]: refused",
     "stats": {
      "total": 12,
      "failures": 5,
      "successes": 4,
      "rejections": 3
     }
    }
   }
  },
  "github": {
   "status": "degraded",
   "message": "1 rate limited, the last until 12:00:00",
   "budgets": [
    {
     "installation": 7,
     "resource": "core",
     "limit": 5000,
     "remaining": 4999,
     "reset": "2026-03-01T12:00:00Z"
    }
   ],
   "limited": [
    {
     "key": "installation/7",
     "until": "2026-03-01T12:00:00Z"
    }
   ]
  },
  "caches": {
   "status": "healthy",
   "message": "for information",
   "caches": {
    "config": {
     "name": "config",
     "ttlSeconds": 60,
     "size": 2,
     "maxSize": 9,
     "bytes": 0,
     "loading": 0,
     "hits": 3,
     "misses": 1,
     "hitRate": 0.75,
     "loads": 1,
     "sharedLoads": 1,
     "loadErrors": 0,
     "stale": 0,
     "errorHits": 0,
     "evictions": 4,
     "oversize": 0
    }
   }
  }
 }
}
`
