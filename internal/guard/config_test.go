package guard

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestConfigErrorsNameFieldAndBound(t *testing.T) {
	for want, cfg := range map[string]Config{
		"FailureThreshold is -1, want from 1 to 10000":    {FailureThreshold: -1},
		"FailureRatio is 1.5, want from 0.01 to 1":        {FailureRatio: 1.5},
		"FailureRatio is NaN, want from 0.01 to 1":        {FailureRatio: math.NaN()},
		"MinCalls is 20000, want from 1 to 10000":         {MinCalls: 20000},
		"Deadline is 2h0m0s, want from 1ms to 1h0m0s":     {Deadline: 2 * time.Hour},
		"Window is 10s, want from 1m0s to 24h0m0s":        {Window: 10 * time.Second},
		"ResetTimeout is -1s, want from 1ms to 24h0m0s":   {ResetTimeout: -time.Second},
		"MaxResetTimeout is 5s, want from 30s to 24h0m0s": {MaxResetTimeout: 5 * time.Second},
		"Probes is 101, want from 1 to 100":               {Probes: 101},
		"MaxConcurrent is -5, want from 1 to 10000":       {MaxConcurrent: -5},
		"MaxWait is 2h0m0s, want from 0s to 1h0m0s":       {MaxWait: 2 * time.Hour},
		"MaxAttempts is 11, want from 1 to 10":            {MaxAttempts: 11},
		"RetryRatio is -0.1, want from 0 to 1":            {RetryRatio: -0.1},
		"RetryBurst is -1, want from 1 to 10000":          {RetryBurst: -1},
		"MaxKeys is -1, want from 1 to 1000000":           {MaxKeys: -1},
	} {
		_, err := New("github.rest", cfg)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "github.rest") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestDefaultsFitEachOther(t *testing.T) {
	for _, cfg := range []Config{{}, {Deadline: time.Hour}, {ResetTimeout: 24 * time.Hour}, {MaxWait: -1}} {
		if _, err := New("a", cfg); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"github.rest": true, "llm.openai.org/gpt-5:mini": true, "": false, "two words": false, "line\nbreak": false, strings.Repeat("a", 101): false,
	} {
		if _, err := New(name, Config{}); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSet(t *testing.T) {
	set := NewSet(func(name string) Config {
		if name == "b" {
			return Config{FailureThreshold: 1}
		}
		return Config{}
	})
	b, err := set.Get("b")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := set.Get("b"); again != b {
		t.Error("a second dependency was made for the same name")
	}
	if _, err := set.Get("a"); err != nil {
		t.Fatal(err)
	}
	fail(t, b, 1)
	var got []string
	for _, s := range set.Stats() {
		text, err := json.Marshal(s.State)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Name+" "+string(text))
	}
	if diff := cmp.Diff([]string{`a "CLOSED"`, `b "OPEN"`}, got); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if _, err := set.Get("no good"); err == nil || len(set.All()) != 2 {
		t.Error("a bad name was taken")
	}
}

func TestASetIsBounded(t *testing.T) {
	set := NewSet(nil)
	var errs []bool
	for i := range maxDependencies + 1 {
		_, err := set.Get(fmt.Sprint(i))
		errs = append(errs, err != nil)
	}
	if slices.Index(errs, true) != maxDependencies {
		t.Errorf("refused at %d", slices.Index(errs, true))
	}
}
