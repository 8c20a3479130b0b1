package llm

import (
	"cmp"
	"context"
	"errors"
	"time"

	"assay/internal/fault"
	"assay/internal/guard"
)

// endpoint is one model of one provider.
type endpoint struct {
	name     string // "provider/model"
	model    string
	provider *provider
	guard    *guard.Dependency
	price    *Price
	learned  learned
}

func newEndpoint(ref Ref, p *provider, cfg *Config) (*endpoint, error) {
	dependency, err := cfg.Guards.Get(guardName(ref))
	if err != nil {
		return nil, err
	}
	e := &endpoint{name: ref.String(), model: ref.Model, provider: p, guard: dependency, price: priceOf(ref, p, cfg.Prices)}
	e.learned.init(p)
	return e, nil
}

// complete asks the model, in as many requests as it takes to learn what it
// understands; mostly one. share bounds all of them, if it is not 0.
func (e *endpoint) complete(ctx context.Context, req Request, share time.Duration) (Response, error) {
	// A model that is down must not cost a wait for a place.
	if err := e.guard.Check(""); err != nil {
		return Response{}, err
	}
	leave, err := e.provider.places.enter(ctx, req.Account)
	if err != nil {
		return Response{}, err
	}
	defer leave()
	req.MaxTokens = cmp.Or(req.MaxTokens, defaultMaxTokens)
	var (
		began = time.Now()
		ways  = e.learned.ways(req.Schema)
		first error
	)
	for {
		call := guard.Call{}
		if share > 0 {
			call.Deadline = max(share-time.Since(began), time.Millisecond)
		}
		resp, err := guard.Do(ctx, e.guard, call, func(ctx context.Context) (Response, error) {
			return e.ask(ctx, &req, ways)
		})
		if err == nil {
			e.learned.works(req.Schema, ways)
			return resp, nil
		}
		first = cmp.Or(first, err)
		var refused *refusedError
		if !errors.As(err, &refused) {
			if ways.guessed {
				err = first // it did not like our guess either
			}
			return Response{}, err
		}
		next, ok := e.learned.another(ways, refused.hint, &req)
		if !ok {
			return Response{}, first
		}
		ways = next
	}
}

// ask makes one request and reads its answer.
func (e *endpoint) ask(ctx context.Context, req *Request, w ways) (Response, error) {
	resp, err := e.provider.post(ctx, e, req, w)
	resp.Model = e.name
	e.settle(&resp, req)
	if err == nil {
		err = stopError(e.name, resp)
	}
	if err != nil {
		return Response{}, err
	}
	if req.Schema != nil {
		takeAnswer(&resp, w)
	}
	return resp, nil
}

// settle completes the usage of an answer.
func (e *endpoint) settle(resp *Response, req *Request) {
	u := &resp.Usage
	u.Calls = 1
	if u.Input == 0 && u.Output == 0 {
		u.Input, u.Output, u.Estimated = EstimateRequest(*req), Estimate(resp.Text)+estimateCalls(resp.Calls), true
	}
	u.Cached = min(u.Cached, u.Input)
	u.USD = e.price.of(*u, time.Now())
}

// stopError is the error of an answer that did not end well.
func stopError(model string, resp Response) error {
	switch resp.Stop {
	case StopEnd, StopTools:
		return nil
	default:
		return fault.New(fault.Invalid, &AnswerError{Model: model, Reason: resp.Stop, Response: resp})
	}
}
