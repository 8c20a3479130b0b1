package ghapp

import (
	"context"
	"errors"

	"assay/internal/fault"
)

var errPending = fault.New(fault.Unauthorized, errors.New("not there yet"))

// Permission is a placeholder until the real one is merged.
func (r *Repository) Permission(context.Context, string) (string, error) { return "", errPending }

// React is a placeholder until the real one is merged.
func (r *Repository) React(context.Context, int64, string) error { return errPending }

// BranchHead is a placeholder until the real one is merged.
func (r *Repository) BranchHead(context.Context, string) (string, error) { return "", errPending }
