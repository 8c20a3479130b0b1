package llm

import (
	"context"
	"time"

	"assay/internal/fault"
)

// minShare is the least share of a deadline whose end is held against a model.
// In less, a healthy one may be unable to answer.
const minShare = 20 * time.Second

// chain asks its models one after the other, until one answers.
type chain struct {
	alias     string
	endpoints []*endpoint
	cfg       *Config
}

// Name is the alias.
func (c *chain) Name() string { return c.alias }

// Complete asks the first model that is not down. A model is stood in for when
// it, or the way to it, is at fault; a request that is itself wrong, an answer
// that was cut or refused, would come back the same from elsewhere, at a price.
func (c *chain) Complete(ctx context.Context, req Request) (Response, error) {
	var gone ChainError
	for i, e := range c.endpoints {
		resp, err := c.try(ctx, e, req, len(c.endpoints)-i)
		if err == nil {
			resp.Failed = gone.Failed
			return resp, nil
		}
		if ctx.Err() != nil || !outage(err) {
			return Response{}, err
		}
		gone.Failed = append(gone.Failed, Failed{Model: e.name, Reason: err.Error()})
		gone.Errs = append(gone.Errs, err)
		c.cfg.Logger.WarnContext(ctx, "model did not answer", "alias", c.alias, "model", e.name, "kind", fault.KindOf(err).String(), "error", err.Error())
	}
	if len(gone.Errs) == 1 {
		return Response{}, gone.Errs[0]
	}
	gone.Alias = c.alias
	kind, at := hope(gone.Errs)
	return Response{}, fault.Until(kind, at, &gone)
}

// try gives a model its share of the time that is left: with n models to come,
// an nth. The last one has all the rest.
func (c *chain) try(ctx context.Context, e *endpoint, req Request, n int) (Response, error) {
	deadline, ok := ctx.Deadline()
	if !ok || n == 1 {
		return e.complete(ctx, req, 0)
	}
	share := time.Until(deadline) / time.Duration(n)
	if share >= minShare {
		return e.complete(ctx, req, share)
	}
	// Cut short by its caller, a call says nothing of the model's health.
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	return e.complete(ctx, req, 0)
}

// outage reports whether another model may do better.
func outage(err error) bool {
	switch fault.KindOf(err) {
	case fault.Transient, fault.RateLimited, fault.Busy, fault.Unauthorized, fault.Gone:
		return true
	}
	return false
}

// hope is the kind and time of a chain's failure: that of the model which may
// be back first.
func hope(errs []error) (kind fault.Kind, at time.Time) {
	kind = fault.KindOf(errs[0])
	for _, err := range errs {
		switch k, t := fault.KindOf(err), fault.RetryAt(err); {
		case k == fault.Transient:
			return k, t
		case t.IsZero():
		case at.IsZero() || t.Before(at):
			kind, at = k, t
		}
	}
	return kind, at
}
