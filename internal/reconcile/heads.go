package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/review"
)

const (
	// maxLists bounds the lists of repositories and of pull requests read in a
	// sweep, and maxOpened the heads that are opened; the next sweep goes on.
	maxLists  = 200
	maxOpened = 100
	// maxTrouble is how often GitHub may fail before a sweep leaves it alone.
	maxTrouble = 3
	// maxGrace is how long a webhook may be under way before its head is looked
	// for; half an interval where that is shorter.
	maxGrace = time.Minute
)

// walkName is the name of the walk's cursor.
const walkName = "open-heads"

// walk is how far the way through all repositories has come. It takes as many
// sweeps as it takes, and then begins anew.
type walk struct {
	// Since is when the last walk began that left nothing out.
	Since time.Time `json:"since,omitzero"`
	// Began, Installation and Repo are of the walk under way: its start, and
	// the last repository that was looked at, in the order of their IDs.
	Began        time.Time `json:"began,omitzero"`
	Installation int64     `json:"installation,omitempty"`
	Repo         int64     `json:"repo,omitempty"`
	// Partial says that something could not be looked at.
	Partial bool `json:"partial,omitempty"`
}

// sweep is what a sweep may still spend on the walk.
type sweep struct {
	walk
	lists, opened, trouble int
}

func (s *sweep) spent() bool {
	return s.lists >= maxLists || s.opened >= maxOpened || s.trouble >= maxTrouble
}

// openHeads goes on with the walk through all repositories, and returns how
// many heads without a check it has found and opened.
func (r *Reconciler) openHeads(ctx context.Context) (int, error) {
	w, err := load[walk](ctx, r, walkName)
	if err != nil {
		return 0, err
	}
	if w.Began.IsZero() {
		w.Began = r.cfg.Now().UTC()
	}
	s := &sweep{walk: w}
	walkErr := r.walk(ctx, s)
	if walkErr != nil {
		walkErr = fmt.Errorf("look for open heads without a check: %w", walkErr)
	}
	if ctx.Err() != nil {
		return s.opened, walkErr
	}
	if err := r.save(ctx, walkName, s.walk); err != nil && walkErr == nil {
		walkErr = err
	}
	return s.opened, walkErr
}

// walk goes on until s is spent, or to the end.
func (r *Reconciler) walk(ctx context.Context, s *sweep) error {
	installations, err := r.github.Installations(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(installations, func(a, b ghapp.Installation) int { return cmp.Compare(a.ID, b.ID) })
	for _, in := range installations {
		if in.Suspended || in.ID < s.Installation {
			continue
		}
		if err := r.walkInstallation(ctx, s, in.ID); err != nil {
			if !r.goOn(s, err) {
				return err
			}
			s.Installation, s.Repo = in.ID, math.MaxInt64
		}
		if s.spent() {
			return nil
		}
	}
	r.waiting.endWalk()
	if !s.Partial {
		s.Since = s.Began
	}
	s.walk = walk{Since: s.Since}
	return nil
}

// walkInstallation looks at the repositories of an installation that were not
// looked at yet.
func (r *Reconciler) walkInstallation(ctx context.Context, s *sweep, installation int64) error {
	if err := r.hold(ctx); err != nil {
		return err
	}
	s.lists++
	repos, err := r.github.Repositories(ctx, installation)
	if err != nil {
		return err
	}
	slices.SortFunc(repos, func(a, b review.Repo) int { return cmp.Compare(a.ID, b.ID) })
	for _, repo := range repos {
		if installation == s.Installation && repo.ID <= s.Repo {
			continue
		}
		if s.spent() {
			return nil
		}
		if err := r.hold(ctx); err != nil {
			return err
		}
		s.lists++
		err := r.openRepo(ctx, s, installation, repo)
		if s.opened >= maxOpened {
			return err // there may be more in this one
		}
		if err != nil && (fault.KindOf(err) == fault.RateLimited || !r.goOn(s, err)) {
			return err
		}
		s.Installation, s.Repo = installation, repo.ID
	}
	return nil
}

// goOn judges an error of one installation or repository: whether the walk goes
// on with the next.
func (r *Reconciler) goOn(s *sweep, err error) bool {
	switch fault.KindOf(err) {
	case fault.Gone, fault.Unauthorized:
		// Suspended, uninstalled, deleted, or no permission: not ours to look at.
		r.cfg.Logger.Debug("left out of reconciliation", "error", err)
		return true
	case fault.RateLimited:
		s.Partial = true // the others have limits of their own
		r.cfg.Logger.Info("open pull requests not looked at yet", "error", err)
		return true
	case fault.Transient, fault.Invalid:
		s.Partial = true
		s.trouble++
		r.cfg.Logger.Warn("open pull requests could not be looked at", "error", err)
		return true // until the sweep is spent
	default:
		return false
	}
}

// openRepo looks at the open pull requests of a repository.
func (r *Reconciler) openRepo(ctx context.Context, s *sweep, installation int64, repo review.Repo) error {
	now := r.cfg.Now()
	since := now.Add(-window)
	if last := s.Since.Add(-overlap); !s.Since.IsZero() && last.Before(since) {
		since = last // nobody has looked for longer than that
	}
	pulls, err := r.github.OpenPulls(ctx, installation, repo, since)
	if err != nil {
		return err
	}
	var missed []head
	for _, pull := range pulls {
		if now.Sub(pull.UpdatedAt) < min(maxGrace, r.cfg.Interval/2) {
			continue
		}
		action, err := r.missing(ctx, repo.ID, pull.Pull)
		if err != nil {
			return err
		}
		if action == "" {
			continue
		}
		missed = append(missed, head{number: pull.Number, sha: pull.HeadSHA, since: pull.UpdatedAt})
		if s.opened >= maxOpened {
			continue
		}
		opened, err := r.open(ctx, review.Event{
			Name: "pull_request", Action: action, Installation: installation, Repo: repo, Sender: pull.Author,
			Pull: &pull.Pull, PullUpdatedAt: pull.UpdatedAt, Retargeted: action == "edited",
		})
		if err != nil {
			return err
		}
		if opened {
			s.opened++
		}
	}
	r.waiting.set(repo.ID, missed)
	return nil
}
