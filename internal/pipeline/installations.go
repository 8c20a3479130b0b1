package pipeline

import (
	"context"
	"strings"

	"assay/internal/store"
	"assay/review"
)

// purgeBatch bounds the rows that one transaction forgets.
const purgeBatch = 500

// refused says why nothing is done about an event: "" for most. On its way it
// notes the repository that the event came from, since an installation may be
// older than what is kept of installations.
func (p *Pipeline) refused(ctx context.Context, ev review.Event) (string, error) {
	if ev.Installation == 0 || strings.HasPrefix(ev.Name, "installation") {
		return "", nil
	}
	in, known, err := p.Store.Installation(ctx, ev.Installation)
	if err != nil {
		return "", err
	}
	if known && in.Status != store.InstallationActive {
		return "the app's installation is " + string(in.Status), nil
	}
	if ev.Name == "repository" || ev.Repo.ID == 0 || ev.Repo.Owner == "" || ev.Repo.Name == "" {
		return "", nil
	}
	return "", p.Store.SeeRepository(ctx, ev.Installation, ev.Repo)
}

func (p *Pipeline) noteInstallation(ctx context.Context, ev review.Event, status store.InstallationStatus) error {
	return p.Store.NoteInstallation(ctx, store.Installation{
		ID: ev.Installation, Account: ev.Installed.Account.Login, Status: status, UpdatedAt: ev.Installed.UpdatedAt,
	})
}

func (p *Pipeline) done(ctx context.Context, d store.Delivery) error {
	return p.Queue.Finish(ctx, d, store.DeliveryDone, "")
}

func (p *Pipeline) installed(ctx context.Context, d store.Delivery, ev review.Event) error {
	status := store.InstallationActive
	if ev.Installed.Suspended {
		status = store.InstallationSuspended
	}
	if err := p.noteInstallation(ctx, ev, status); err != nil {
		return err
	}
	if err := p.Store.AddRepositories(ctx, ev.Installation, ev.Installed.Added); err != nil {
		return err
	}
	return p.done(ctx, d)
}

// suspended stops the work. What was missed meanwhile reconciliation finds when
// the installation is active again.
func (p *Pipeline) suspended(ctx context.Context, d store.Delivery, ev review.Event) error {
	if err := p.noteInstallation(ctx, ev, store.InstallationSuspended); err != nil {
		return err
	}
	in, _, err := p.Store.Installation(ctx, ev.Installation)
	if err != nil {
		return err
	}
	if in.Status == store.InstallationActive {
		return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "the installation is active again")
	}
	if err := p.Queue.Cancel(ctx, ev.Installation, 0, "the app's installation was suspended"); err != nil {
		return err
	}
	return p.done(ctx, d)
}

// uninstalled stops the work and forgets what was kept for it.
func (p *Pipeline) uninstalled(ctx context.Context, d store.Delivery, ev review.Event) error {
	if err := p.noteInstallation(ctx, ev, store.InstallationDeleted); err != nil {
		return err
	}
	if err := p.Queue.Cancel(ctx, ev.Installation, 0, "the app was uninstalled"); err != nil {
		return err
	}
	if err := p.Store.Purge(ctx, ev.Installation, d.ID, purgeBatch); err != nil {
		return err
	}
	return p.done(ctx, d)
}

func (p *Pipeline) repositoriesAdded(ctx context.Context, d store.Delivery, ev review.Event) error {
	if err := p.Store.AddRepositories(ctx, ev.Installation, ev.Installed.Added); err != nil {
		return err
	}
	return p.done(ctx, d)
}

func (p *Pipeline) repositoriesRemoved(ctx context.Context, d store.Delivery, ev review.Event) error {
	if err := p.drop(ctx, ev.Installation, ev.Installed.Removed, "the repository was taken from the app's installation"); err != nil {
		return err
	}
	return p.done(ctx, d)
}

func (p *Pipeline) drop(ctx context.Context, installation int64, repos []review.Repo, reason string) error {
	if err := p.Store.DropRepositories(ctx, installation, repos); err != nil {
		return err
	}
	for _, r := range repos {
		if err := p.Queue.Cancel(ctx, installation, r.ID, reason); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pipeline) repositoryNamed(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Installation == 0 || ev.Repo.Owner == "" || ev.Repo.Name == "" {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the event names no installation or repository")
	}
	if err := p.Store.AddRepositories(ctx, ev.Installation, []review.Repo{ev.Repo}); err != nil {
		return err
	}
	return p.done(ctx, d)
}

func (p *Pipeline) repositoryGone(ctx context.Context, d store.Delivery, ev review.Event) error {
	if err := p.drop(ctx, ev.Installation, []review.Repo{ev.Repo}, "the repository was "+ev.Action); err != nil {
		return err
	}
	return p.done(ctx, d)
}
