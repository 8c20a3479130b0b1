package cache

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func goexit() { runtime.Goexit() }

func TestConfigErrorsNameFieldAndBound(t *testing.T) {
	weigh := func(int) int { return 1 }
	for want, cfg := range map[string]Config[int]{
		"config Name is empty":                           {},
		"TTL is -1s, want from 1ms to 720h0m0s":          {Name: "a", TTL: -time.Second},
		"Size is -1, want from 1 to 10000000":            {Name: "a", Size: -1},
		"config Bytes is set without Weigh":              {Name: "a", Bytes: 1},
		"Bytes is -1, want from 0 to 1099511627776":      {Name: "a", Bytes: -1, Weigh: weigh},
		"LoadTimeout is 2h0m0s, want from 1ms to 1h0m0s": {Name: "a", LoadTimeout: 2 * time.Hour},
		"ErrorTTL is 2h0m0s, want from 0s to 1h0m0s":     {Name: "a", ErrorTTL: 2 * time.Hour},
		"StaleFor is -1ns, want from 0s to 720h0m0s":     {Name: "a", StaleFor: -1},
	} {
		if _, err := New[string](cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSet(t *testing.T) {
	var set Set
	for _, name := range []string{"tokens", "blobs"} {
		if err := set.Add(create[string, int](t, Config[int]{Name: name})); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Add(create[int, string](t, Config[string]{Name: "tokens"})); err == nil {
		t.Error("two caches of one name")
	}
	var names []string
	for _, s := range set.Stats() {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff([]string{"blobs", "tokens"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
