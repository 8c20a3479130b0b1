package fault

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestDependencyOf(t *testing.T) {
	plain := errors.New("503")
	at := time.Date(2026, 3, 4, 14, 32, 0, 0, time.UTC)
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nothing is known", New(Transient, plain), ""},
		{"an outage", From("openai", New(Transient, plain)), "openai"},
		{"a rate limit, wrapped", fmt.Errorf("ask: %w", From("openai", Until(RateLimited, at, plain))), "openai"},
		{"classified again on the way up", New(Transient, fmt.Errorf("ask: %w", From("openai", New(Busy, plain)))), "openai"},
		{"the innermost knows best", From("outer", From("inner", New(Transient, plain))), "inner"},
		{"a missing permission", From("openai", New(Unauthorized, plain)), ""},
		{"an outage made an answer that will never do", New(Invalid, From("openai", New(Transient, plain))), ""},
		{"no kind", From("openai", plain), ""},
		{"no error", From("openai", nil), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := DependencyOf(tt.err); got != tt.want {
				t.Errorf("DependencyOf is %q, want %q", got, tt.want)
			}
		})
	}
	err := From("openai", Until(RateLimited, at, plain))
	if KindOf(err) != RateLimited || !RetryAt(err).Equal(at) || !errors.Is(err, plain) || err.Error() != "503" {
		t.Errorf("From has changed more than the name: %v, %v, %q", KindOf(err), RetryAt(err), err)
	}
}
