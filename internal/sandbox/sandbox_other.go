//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"runtime"
)

// Available says why programs cannot be run here: it takes Linux.
func Available() error {
	return fmt.Errorf("%w: it takes Landlock and seccomp of Linux, and this is %s", ErrUnavailable, runtime.GOOS)
}

// Main does nothing here.
func Main() {}

// Run refuses; see Available.
func (w *Workspace) Run(context.Context, Command) (Result, error) { return Result{}, Available() }
