package agents_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/review"
)

// maker makes finders that are called what it is told, or fails.
type maker struct {
	kind string
	as   func(name string) (agents.Agent, error)
}

func (m maker) Kind() string { return m.kind }

func (m maker) Make(name string, _ review.Policy, _ string) (agents.Agent, error) { return m.as(name) }

func TestRegistryMakes(t *testing.T) {
	good := maker{"good", func(name string) (agents.Agent, error) { return finder(name), nil }}
	bad := maker{"bad", func(string) (agents.Agent, error) { return nil, errors.New("options.x is missing") }}
	wrong := maker{"wrong", func(string) (agents.Agent, error) { return finder("somebody-else"), nil }}
	plain, err := agents.NewRegistry(finder("own"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := plain.With(good, bad, wrong)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"bad", "good", "wrong"}, r.Kinds()); d != "" {
		t.Error(d)
	}
	if len(plain.Kinds()) != 0 {
		t.Error("With changed the registry it was called on")
	}
	for kind, want := range map[string]string{
		"good": "", "bad": "options.x is missing", "wrong": "could not be made", "none": `does not run agents of the kind "none"`,
	} {
		a := r.Make(kind, "mine", review.Policy{}, kind)
		if a.Name() != "mine" {
			t.Errorf("%s: the agent is called %q", kind, a.Name())
		}
		_, err := a.Run(context.Background(), agents.Input{Change: change()})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", kind, err, want)
		}
	}
	for _, list := range [][]agents.Maker{{nil}, {good, good}, {maker{kind: "A/b"}}} {
		if _, err := plain.With(list...); err == nil {
			t.Errorf("makers %v were accepted", list)
		}
	}
}
