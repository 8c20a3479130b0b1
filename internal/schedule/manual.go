package schedule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/internal/store"
	"assay/review"
)

const (
	// maxWait is how long whoever asks waits for the runs to be opened. What
	// was asked for is stored by then.
	maxWait = 5 * time.Second
	// lookEvery is how often it is looked whether they are.
	lookEvery = 50 * time.Millisecond
)

// ErrOtherRequest says that a key was used before, for something else.
var ErrOtherRequest = errors.New("the key was used for another request")

// Accepter stores deliveries.
type Accepter interface {
	Accept(ctx context.Context, d store.Delivery) (fresh bool, err error)
}

// Finder finds repositories that the store does not know yet.
type Finder interface {
	// InstallationOf is fault.Gone when the app does not reach the repository.
	InstallationOf(ctx context.Context, owner, name string) (id int64, repo review.Repo, err error)
}

// Request is what somebody asks for by hand.
type Request struct {
	Owner, Name string
	// Event is "manual.run" or "repository.health_check".
	Event string
	review.Asked
	// Key, if set, makes asking again with it the same request.
	Key string
}

// Answer is what became of a request.
type Answer struct {
	Delivery string
	// Status is store.DeliveryAccepted while nobody has decided yet.
	Status store.DeliveryStatus
	// Reason says why nothing was started.
	Reason string
	// Runs are those that were opened, or that are under way already in their
	// place.
	Runs []review.Run
}

// Manual starts what is asked for by hand. It is safe for concurrent use.
type Manual struct {
	Finder Finder
	Store  *store.Store
	Queue  Accepter
	// Mark are the headers of deliveries that were made up.
	Mark map[string]string
	// Wait is how long an answer waits for the runs; 5 seconds when 0.
	Wait time.Duration
}

// Run stores the request, after which it is not lost, and waits a little for
// what comes of it. It is fault.Gone when the app does not reach the
// repository, and ErrOtherRequest when the key is known for another request.
func (m *Manual) Run(ctx context.Context, r Request) (Answer, error) {
	found, err := m.find(ctx, r.Owner, r.Name)
	if err != nil {
		return Answer{}, err
	}
	name, action, _ := strings.Cut(r.Event, ".")
	key := r.Key
	if key == "" {
		key = store.NewRunID()
	}
	d, err := made("manual-"+key, review.Event{Name: name, Action: action, Installation: found.Installation, Repo: found.Repo, Asked: &r.Asked}, m.Mark)
	if err != nil {
		return Answer{}, err
	}
	fresh, err := m.Queue.Accept(ctx, d)
	if err != nil {
		return Answer{}, fmt.Errorf("store the request for %s: %w", found.Repo, err)
	}
	if !fresh {
		if err := m.sameAs(ctx, d); err != nil {
			return Answer{}, err
		}
	}
	return m.await(ctx, d.GUID, found.Repo, r.Asked)
}

// find looks in the store first, so that nothing is asked of GitHub for what is
// known.
func (m *Manual) find(ctx context.Context, owner, name string) (store.Repository, error) {
	known, ok, err := m.Store.RepositoryNamed(ctx, owner, name)
	if err != nil || ok && known.DefaultBranch != "" {
		return known, err
	}
	installation, repo, err := m.Finder.InstallationOf(ctx, owner, name)
	if err != nil {
		return store.Repository{}, err
	}
	return store.Repository{Repo: repo, Installation: installation}, nil
}

// sameAs makes sure that the delivery that is known asks for the same.
func (m *Manual) sameAs(ctx context.Context, d store.Delivery) error {
	known, err := m.Store.DeliveryByGUID(ctx, d.GUID)
	if err != nil {
		return err
	}
	if known.Event != d.Event || known.Action != d.Action || known.RepoID != d.RepoID || !bytes.Equal(askedOf(known.Body), askedOf(d.Body)) {
		return ErrOtherRequest
	}
	return nil
}

func askedOf(body []byte) json.RawMessage {
	var payload struct {
		Asked json.RawMessage `json:"asked"`
	}
	if json.Unmarshal(body, &payload) != nil {
		return nil
	}
	return payload.Asked
}

// await waits until it was decided what the request leads to. That it takes
// longer is no error.
func (m *Manual) await(ctx context.Context, guid string, repo review.Repo, asked review.Asked) (Answer, error) {
	wait := m.Wait
	if wait == 0 {
		wait = maxWait
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	a := Answer{Delivery: guid, Status: store.DeliveryAccepted}
	for {
		d, err := m.Store.DeliveryByGUID(ctx, guid)
		switch {
		case ctx.Err() != nil:
			return a, nil
		case err != nil:
			return a, err
		case d.Status != store.DeliveryAccepted:
			a.Status, a.Reason = d.Status, d.Reason
			a.Runs, err = m.runs(context.WithoutCancel(ctx), guid, repo, asked)
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, nil
		case <-look.C:
		}
	}
}

// runs are those that the delivery has opened, else those that are under way in
// their place.
func (m *Manual) runs(ctx context.Context, guid string, repo review.Repo, asked review.Asked) (list []review.Run, err error) {
	runs, err := m.Store.RunsOfDelivery(ctx, guid)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		if runs, err = m.Store.UnderWay(ctx, repo.ID, asked.Number); err != nil {
			return nil, err
		}
		branch := asked.Ref
		if branch == "" {
			branch = repo.DefaultBranch
		}
		runs = slices.DeleteFunc(runs, func(r store.Run) bool {
			return asked.Pipeline != "" && r.Pipeline != asked.Pipeline || asked.Number == 0 && r.Pull.HeadRef != branch
		})
	}
	for _, r := range runs {
		list = append(list, r.Run)
	}
	return list, nil
}
