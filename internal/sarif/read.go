package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of Read.
var (
	ErrTooLarge = fmt.Errorf("the log is over %d bytes", MaxBytes)
	ErrNotSARIF = errors.New("not a SARIF 2.1.0 log")
)

// Read reads a log. root is the directory that the tool ran in, as an absolute
// path, which is taken off absolute paths of results; it may be empty, and what
// the log itself says of its roots goes first.
//
// Errors are about the log as a whole: one that is not SARIF 2.1.0 wraps
// ErrNotSARIF, one that is too long ErrTooLarge.
func Read(data []byte, root string) (Log, error) {
	if len(data) > MaxBytes {
		return Log{}, ErrTooLarge
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // tools on .NET write it
	r := reader{dec: json.NewDecoder(bytes.NewReader(data)), root: root}
	if err := r.log(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		return Log{}, fmt.Errorf("%w: %w", ErrNotSARIF, err)
	}
	return r.out, nil
}

// reader walks a log token by token, so that a long list of small things is
// never in memory as a whole.
type reader struct {
	dec  *json.Decoder
	root string
	out  Log
	// rules and artifacts count what was kept of all runs, seen the runs.
	rules, artifacts, seen int
}

func (r *reader) log() error {
	version, runs := "", false
	err := r.object(func(key string) error {
		switch key {
		case "version":
			return r.value(&version)
		case "runs":
			runs = true
			return r.list(r.run)
		default:
			return r.skip()
		}
	})
	if err != nil {
		return err
	}
	if _, err := r.dec.Token(); err != io.EOF {
		return errors.New("something follows the log")
	}
	if !strings.HasPrefix(version, "2.1.") {
		return fmt.Errorf("its version is %q", cut(version, 20))
	}
	if !runs {
		return errors.New("it has no runs")
	}
	return nil
}

// raw is one run as it is written. Its results are told apart when all of it
// was read, for the order of keys is free.
type raw struct {
	driver     component
	extensions []component
	automation struct{ ID string }
	results    []wireResult
	artifacts  []wireArtifact
	bases      some[wirePlace]
	calls      list[wireInvocation]
}

type component struct {
	name, version string
	rules         []wireRule
}

func (r *reader) run() error {
	r.seen++
	keep := r.seen <= MaxRuns
	var one raw
	err := r.object(func(key string) error {
		switch key {
		case "tool":
			return r.object(func(key string) error { return r.tool(key, &one) })
		case "results":
			return r.list(func() error { return r.result(&one, keep) })
		case "artifacts":
			return r.list(func() error {
				if r.artifacts++; r.artifacts > maxArtifacts {
					return r.skip()
				}
				one.artifacts = append(one.artifacts, wireArtifact{})
				return r.value(&one.artifacts[len(one.artifacts)-1])
			})
		case "automationDetails":
			return r.value(&one.automation)
		case "originalUriBaseIds":
			return r.value(&one.bases)
		case "invocations":
			return r.value(&one.calls)
		default:
			return r.skip()
		}
	})
	if err != nil {
		return fmt.Errorf("run %d: %w", r.seen, err)
	}
	if keep {
		r.out.Runs = append(r.out.Runs, one.resolve(r.root))
	}
	return nil
}

func (r *reader) tool(key string, one *raw) error {
	switch key {
	case "driver":
		return r.component(&one.driver)
	case "extensions":
		return r.list(func() error {
			if len(one.extensions) >= maxExtensions {
				return r.skip()
			}
			one.extensions = append(one.extensions, component{})
			return r.component(&one.extensions[len(one.extensions)-1])
		})
	default:
		return r.skip()
	}
}

func (r *reader) component(c *component) error {
	return r.object(func(key string) error {
		switch key {
		case "name":
			return r.value(&c.name)
		case "version", "semanticVersion":
			return r.value(&c.version)
		case "rules":
			return r.list(func() error {
				if r.rules++; r.rules > MaxRules {
					return r.skip()
				}
				c.rules = append(c.rules, wireRule{})
				return r.value(&c.rules[len(c.rules)-1])
			})
		default:
			return r.skip()
		}
	})
}

func (r *reader) result(one *raw, keep bool) error {
	if !keep || r.out.Results()+len(one.results) >= MaxResults {
		r.out.Omitted++
		return r.skip()
	}
	var w wireResult
	if err := r.value(&w); err != nil {
		return fmt.Errorf("result %d: %w", len(one.results)+1, err)
	}
	if w.tells() {
		one.results = append(one.results, w)
	}
	return nil
}

// object calls of for each key of the object that follows; of reads the value.
// null is an object without keys.
func (r *reader) object(of func(key string) error) error {
	open, err := r.open('{')
	if err != nil || !open {
		return err
	}
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return err
		}
		if err := of(key.(string)); err != nil { // the decoder takes nothing else for a key
			return err
		}
	}
	_, err = r.dec.Token()
	return err
}

// list calls of for each element of the list that follows; of reads it. null
// is an empty list.
func (r *reader) list(of func() error) error {
	open, err := r.open('[')
	if err != nil || !open {
		return err
	}
	for r.dec.More() {
		if err := of(); err != nil {
			return err
		}
	}
	_, err = r.dec.Token()
	return err
}

// open reads the beginning of an object or a list; false for null.
func (r *reader) open(want json.Delim) (bool, error) {
	at := r.dec.InputOffset()
	token, err := r.dec.Token()
	if err != nil || token == nil {
		return false, err
	}
	if token != want {
		return false, fmt.Errorf("after byte %d stands something else than %q", at, want.String())
	}
	return true, nil
}

func (r *reader) value(to any) error { return r.dec.Decode(to) }

func (r *reader) skip() error {
	var ignored nothing
	return r.dec.Decode(&ignored)
}

// nothing takes any value and keeps none of it.
type nothing struct{}

func (*nothing) UnmarshalJSON([]byte) error { return nil }
