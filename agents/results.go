package agents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"

	"assay/review"
)

// Versioned is an Agent whose answer depends on nothing but the change as it is
// given (the contents at its base and head among it), the findings before it
// and its policy: not on the time, not on what Change.Host tells. Such an agent
// is not asked twice about the same content.
type Versioned interface {
	Agent
	// Version changes whenever the same content may get another answer: with
	// the agent's rules, and with data that it was loaded with.
	Version() string
}

// Results keeps answers by key. It must be safe for concurrent use; what it
// hands out is not changed.
type Results interface {
	Lookup(key string) (Result, bool)
	Put(key string, result Result)
}

// versionOf is the version of an agent that is Versioned, or that wraps one and
// says so by a method Unwrap; "" for others.
func versionOf(agent Agent) string {
	for agent != nil {
		if v, ok := agent.(Versioned); ok {
			return v.Version()
		}
		wrapper, ok := agent.(interface{ Unwrap() Agent })
		if !ok {
			return ""
		}
		agent = wrapper.Unwrap()
	}
	return ""
}

// key names all that the agent's answer depends on; "" where it is not to be
// kept.
func (r *Runner) key(agent Agent, in Input, change func() string) string {
	version := versionOf(agent)
	if r.results == nil || version == "" {
		return ""
	}
	sum := sum(agent.Name(), version, in.Policy, in.Prior)
	if sum == "" || change() == "" {
		return ""
	}
	return sum + change()
}

func (r *Runner) known(key string) (Result, bool) {
	if key == "" {
		return Result{}, false
	}
	return r.results.Lookup(key)
}

// remember keeps an answer that is whole. One with a gap is not kept: a file
// may have been left out because it could not be read just then.
func (r *Runner) remember(key string, result Result, receipts []review.Coverage) {
	gap := func(c review.Coverage) bool { return c.Level == review.Partial || c.Level == review.Skipped }
	if key != "" && !slices.ContainsFunc(receipts, gap) {
		r.results.Put(key, result)
	}
}

// digest names the change by all that agents are given of it, once and when it
// is first asked for. What is read later is named by the repository and the
// commits at either end.
func digest(change *review.Change) func() string {
	return sync.OnceValue(func() string {
		if change.Pull.BaseSHA == "" || change.Pull.HeadSHA == "" {
			return "" // what is read later has no name
		}
		return sum(change.Repo, change.Pull, change.Files, change.Truncated, change.Issue)
	})
}

// sum is the SHA-256 of the values in JSON; "" for values that JSON cannot say.
func sum(values ...any) string {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(values); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
