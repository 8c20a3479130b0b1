package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

// missing says which event never came: the action that it would have had, or ""
// when the pull request's head is known, or is being decided on.
func (r *Reconciler) missing(ctx context.Context, repoID int64, pull review.Pull) (action string, err error) {
	sub, known, err := r.store.Subject(ctx, repoID, pull.Number)
	if err != nil {
		return "", err
	}
	latest, err := r.store.LatestOfPull(ctx, repoID, pull.Number, pull.HeadSHA)
	if err != nil {
		return "", err
	}
	if action = missed(pull, sub, known, latest); action == "" {
		return "", nil
	}
	deciding, err := r.store.Deciding(ctx, repoID, pull.Number)
	if err != nil || deciding {
		return "", err
	}
	return action, nil
}

// missed compares a pull request as GitHub has it with what is known of it. A
// head that is known and has no runs was decided on: nothing wants to run.
func missed(pull review.Pull, sub store.Subject, known bool, latest []store.Run) (action string) {
	switch {
	case !known:
		return "opened"
	case sub.Closed:
		return "reopened"
	case sub.HeadSHA != pull.HeadSHA:
		return "synchronize"
	case len(latest) > 0 && !slices.ContainsFunc(latest, func(r store.Run) bool { return r.Pull.BaseRef == pull.BaseRef }):
		return "edited" // it was reviewed for another base branch
	}
	for _, r := range latest {
		switch {
		case r.Status == review.StatusCancelled || r.Status == review.StatusSuperseded:
			return "synchronize" // and yet it is the head
		case r.Status == review.StatusSkipped && r.Pull.Draft && !pull.Draft:
			return "ready_for_review"
		}
	}
	return ""
}

// open accepts a delivery in the place of the one that never came. It reports
// false when there is one already.
func (r *Reconciler) open(ctx context.Context, ev review.Event) (bool, error) {
	guid := guidOf(ev, r.cfg.Now())
	if _, err := r.store.DeliveryByGUID(ctx, guid); fault.KindOf(err) != fault.Gone {
		return false, err
	}
	body, err := payload(ev)
	if err != nil {
		return false, err
	}
	fresh, err := r.queue.Accept(ctx, store.Delivery{
		GUID: guid, Event: ev.Name, Action: ev.Action, Installation: ev.Installation, RepoID: ev.Repo.ID,
		Number: ev.Pull.Number, HeadSHA: ev.Pull.HeadSHA, PullUpdatedAt: ev.PullUpdatedAt, Header: r.cfg.Mark, Body: body,
	})
	if err != nil {
		return false, fmt.Errorf("open %s#%d: %w", ev.Repo, ev.Pull.Number, err)
	}
	if fresh {
		r.cfg.Logger.Info("head without a check found", "repo", ev.Repo.String(), "pull", ev.Pull.Number, "head", ev.Pull.HeadSHA, "event", ev.String(), "delivery", guid)
	}
	return fresh, nil
}

// guidOf names a made-up delivery for what it stands for, so that two sweeps or
// two nodes make the same one. What came of it may have come to nothing: an hour
// later there is another.
func guidOf(ev review.Event, now time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s/%s/%d", ev.Repo.ID, ev.Pull.Number, ev.Pull.HeadSHA, ev.Action, now.Unix()/3600))
	return "reconcile-" + hex.EncodeToString(sum[:16])
}

// object is a JSON object.
type object = map[string]any

// payload is the event in GitHub's words, with the facts that webhook.Parse
// reads and no others.
func payload(ev review.Event) ([]byte, error) {
	pull := ev.Pull
	state := "open"
	if pull.Closed {
		state = "closed"
	}
	labels := make([]object, len(pull.Labels))
	for i, name := range pull.Labels {
		labels[i] = object{"name": name}
	}
	from := any(object{"id": ev.Repo.ID})
	if pull.Fork {
		from = nil // as if it were deleted: which fork it is nobody reads
	}
	changes := object{}
	if ev.Retargeted {
		changes["base"] = object{}
	}
	body, err := json.Marshal(object{
		"changes": changes,
		"action":  ev.Action, "number": pull.Number,
		"installation": object{"id": ev.Installation},
		"sender":       account(ev.Sender),
		"repository": object{
			"id": ev.Repo.ID, "name": ev.Repo.Name, "full_name": ev.Repo.String(), "owner": object{"login": ev.Repo.Owner},
			"default_branch": ev.Repo.DefaultBranch, "private": ev.Repo.Private,
		},
		"pull_request": object{
			"number": pull.Number, "title": pull.Title, "body": pull.Body, "state": state, "draft": pull.Draft,
			"user": account(pull.Author), "labels": labels, "updated_at": ev.PullUpdatedAt.UTC().Format(time.RFC3339),
			"base": object{"ref": pull.BaseRef, "sha": pull.BaseSHA, "repo": object{"id": ev.Repo.ID}},
			"head": object{"ref": pull.HeadRef, "sha": pull.HeadSHA, "repo": from},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write payload of %s#%d: %w", ev.Repo, pull.Number, err)
	}
	return body, nil
}

func account(a review.Actor) object {
	kind := "User"
	if a.Bot {
		kind = "Bot"
	}
	return object{"login": a.Login, "type": kind}
}
