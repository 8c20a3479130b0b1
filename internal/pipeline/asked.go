package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// AskedHeader marks a delivery of the service's own making: a schedule that is
// due, or what the operator asks for. GitHub does not send it, and the webhook
// does not let it in.
const AskedHeader = "X-Assay-Asked"

// handlerOf finds what is done about an event. The service's own are not among
// those that webhook accepts.
func handlerOf(d store.Delivery, ev review.Event) (handler, bool) {
	own := d.Header[AskedHeader] != "" || d.Header[ReplayHeader] != ""
	switch {
	case own && ev.Schedule != "":
		return (*Pipeline).scheduled, true
	case own && ev.Asked != nil:
		return (*Pipeline).asked, true
	}
	h, ok := handlers[ev.String()]
	return h, ok
}

// Schedules are the schedules that the config in force for a repository listens
// to, by its default branch.
func (p *Pipeline) Schedules(ctx context.Context, installation int64, repo review.Repo) ([]strategy.Schedule, error) {
	ev := review.Event{Name: "schedule", Installation: installation, Repo: repo, Pull: &review.Pull{BaseRef: repo.DefaultBranch, HeadRef: repo.DefaultBranch}}
	settings, err := p.settingsFor(ctx, p.GitHub.Repository(installation, repo), ev)
	if err != nil {
		return nil, err
	}
	return settings.Config.Due(), nil
}

// settingsFor is what is in force for an event, with ev.Pull filled in.
func (p *Pipeline) settingsFor(ctx context.Context, repo Repository, ev review.Event) (strategy.Settings, error) {
	in, err := p.settings(ctx, repo, ev)
	return in.Settings, err
}

// schedulesMayChange has the schedules read anew that a push may have changed,
// as soon as GitHub's API is sure to know it.
func (p *Pipeline) schedulesMayChange(ctx context.Context, ev review.Event) error {
	at := p.Now().Add(apiLag)
	switch {
	case ev.Name != pushEvent:
		return nil
	case isOrgRepository(ev.Repo):
		return p.Store.ReadSchedulesOfOwnerAt(ctx, ev.Repo.Owner, at)
	default:
		return p.Store.ReadSchedulesAt(ctx, ev.Repo.ID, at)
	}
}

const pushEvent = "push"

// scheduled opens the runs of pipelines that listen to a schedule, over the
// default branch as it stands.
func (p *Pipeline) scheduled(ctx context.Context, d store.Delivery, ev review.Event) error {
	ev.Asked = &review.Asked{}
	return p.overBranch(ctx, d, ev, "Schedule "+ev.Schedule)
}

// asked opens the runs that the operator asks for.
func (p *Pipeline) asked(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Asked.Number != 0 {
		return p.overPull(ctx, d, ev)
	}
	title := "Manual run"
	if ev.Name == "repository" {
		title = "Health check"
	}
	return p.overBranch(ctx, d, ev, title)
}

// overBranch opens runs that look at a branch as a whole. The default branch's
// config is in force, whichever branch it is: the others are anybody's.
func (p *Pipeline) overBranch(ctx context.Context, d store.Delivery, ev review.Event, title string) error {
	base := ev.Repo.DefaultBranch
	branch := cmp.Or(ev.Asked.Ref, base)
	if base == "" || branch == "" {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the default branch is not known")
	}
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	ev.Pull = &review.Pull{Title: title, Author: ev.Sender, BaseRef: base, HeadRef: branch}
	var err error
	if ev.Pull.HeadSHA, err = p.headFor(ctx, repo, d, branch); fault.KindOf(err) == fault.Gone {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "there is no branch "+branch)
	}
	if err != nil {
		return err
	}
	return p.anew(ctx, repo, d, ev, store.Subject{})
}

// overPull opens runs of a pull request's head.
func (p *Pipeline) overPull(ctx context.Context, d store.Delivery, ev review.Event) error {
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	// Before GitHub is asked: a push that comes after its answer must be seen.
	seen, _, err := p.Store.Subject(ctx, ev.Repo.ID, ev.Asked.Number)
	if err != nil {
		return err
	}
	pull, err := repo.Pull(ctx, ev.Asked.Number)
	if fault.KindOf(err) == fault.Gone {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, fmt.Sprintf("there is no pull request #%d", ev.Asked.Number))
	}
	if err != nil {
		return err
	}
	if pull.Closed {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, closedReason)
	}
	ev.Pull, ev.PullUpdatedAt = &pull, seen.PullUpdatedAt
	return p.anew(ctx, repo, d, ev, seen)
}

// anew opens another attempt of each pipeline that the event starts. Those that
// it does not start keep the check that they have.
func (p *Pipeline) anew(ctx context.Context, repo Repository, d store.Delivery, ev review.Event, seen store.Subject) error {
	decision, why, err := p.decideAsked(ctx, repo, d, ev)
	if err != nil {
		return err
	}
	runs, err := p.runsOf(strategy.Decision{Plans: decision.Plans}, ev)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, cmp.Or(why, notStarted(decision, ev)))
	}
	opened, err := p.start(ctx, repo, queue.Opening{Delivery: d, Subject: subjectOf(ev), Seen: seen, Runs: runs, Rerun: true})
	if err != nil {
		return err
	}
	if len(opened) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "a review of "+short(ev.Pull.HeadSHA)+" is under way already")
	}
	p.Crash("asked-opened")
	return p.Queue.Commit(ctx, d, opened)
}

// decideAsked says what the event starts; why says what keeps it from that,
// where strategy does not.
func (p *Pipeline) decideAsked(ctx context.Context, repo Repository, d store.Delivery, ev review.Event) (decision strategy.Decision, why string, err error) {
	name := ev.Asked.Pipeline
	if name == "" {
		decision, err = p.decide(ctx, repo, d, ev)
		return decision, "", err
	}
	settings, err := p.settingsFor(ctx, repo, ev)
	if err != nil {
		return decision, "", err
	}
	alone, ok := only(settings, name, ev)
	if !ok {
		return decision, fmt.Sprintf("there is no pipeline %q: there are %s", name, strings.Join(namesOf(settings.Config), ", ")), nil
	}
	return strategy.Decide(ev, alone), "", nil
}

func namesOf(c *strategy.Config) (names []string) {
	for _, p := range c.Pipelines {
		names = append(names, p.Name)
	}
	return names
}

// only are settings with one pipeline that runs on the event, whatever it
// listens to and whatever it leaves out: somebody has named it.
func only(s strategy.Settings, name string, ev review.Event) (strategy.Settings, bool) {
	config := *s.Config
	i := slices.IndexFunc(config.Pipelines, func(p strategy.Pipeline) bool { return p.Name == name })
	if i < 0 {
		return s, false
	}
	pipeline := config.Pipelines[i]
	pipeline.On, pipeline.When, pipeline.Filter = []string{ev.String()}, nil, strategy.Filter{Drafts: true}
	config.Pipelines = []strategy.Pipeline{pipeline}
	s.Config, s.Files = &config, []review.File{}
	return s, true
}

// notStarted says why an event starts nothing.
func notStarted(decision strategy.Decision, ev review.Event) string {
	var reasons []string
	for _, skip := range decision.Skips {
		reasons = append(reasons, skip.Pipeline+": "+skip.Reason)
	}
	if len(reasons) == 0 {
		return "no pipeline listens to " + ev.String()
	}
	return strings.Join(reasons, "; ")
}
