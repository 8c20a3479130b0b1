package cache

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLookupAndPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New[string, string](Config[string]{Name: "results", TTL: time.Minute, Bytes: 10, Weigh: func(s string) int { return len(s) }})
		if err != nil {
			t.Fatal(err)
		}
		want := func(when, key, value string) {
			t.Helper()
			if got, ok := c.Lookup(key); got != value || ok != (value != "") {
				t.Errorf("%s: Lookup(%q) is %q, %v; want %q", when, key, got, ok, value)
			}
		}
		want("before anything is put", "a", "")
		c.Put("a", "12345")
		want("put", "a", "12345")
		c.Put("b", "far too heavy")
		want("too heavy", "b", "")
		c.Put("c", "123456") // there is no room for both
		want("evicted", "a", "")
		want("newer", "c", "123456")
		time.Sleep(time.Minute) // virtual
		want("after the TTL", "c", "")
		if s := c.Stats(); s.Hits != 2 || s.Misses != 4 || s.Evictions != 1 || s.Oversize != 1 || s.Loads != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}
