package agents_test

import (
	"context"
	"errors"
	"testing"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// answers is contents and a tree that give one answer.
type answers struct{ err error }

func (a answers) Read(context.Context, review.Side, string) ([]byte, error) { return nil, a.err }
func (a answers) List(context.Context, review.Side) ([]review.Entry, error) { return nil, a.err }

func TestAwaited(t *testing.T) {
	down := fault.From("github", fault.New(fault.Transient, errors.New("502")))
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"answered", nil, false}, {"not there", review.ErrNotExist, false}, {"too large", review.ErrTooLarge, false},
		{"forbidden", fault.New(fault.Unauthorized, errors.New("403")), false}, {"down", down, true},
		{"limited", fault.New(fault.RateLimited, errors.New("429")), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change, outage := agents.Awaited(&review.Change{Contents: answers{tt.err}})
			if change.Tree != nil || outage() != nil {
				t.Fatalf("before anything is read: %v, %v", change.Tree, outage())
			}
			if _, err := change.Contents.Read(t.Context(), review.Head, "a"); !errors.Is(err, tt.err) {
				t.Errorf("read: %v", err)
			}
			if err := outage(); (err != nil) != tt.want || tt.want && !errors.Is(err, tt.err) {
				t.Errorf("of contents: %v", err)
			}
			change, outage = agents.Awaited(&review.Change{Tree: answers{tt.err}})
			if _, err := change.Tree.List(t.Context(), review.Head); !errors.Is(err, tt.err) || change.Contents != nil {
				t.Errorf("list: %v", err)
			}
			if err := outage(); (err != nil) != tt.want {
				t.Errorf("of the tree: %v", err)
			}
		})
	}
}
