package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/reports"
	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

// commands are the commands of comments.
var commands = map[string]func(*conversation, context.Context, webhook.Command) error{
	"review":  (*conversation).review,
	"explain": (*conversation).explain,
	"dismiss": (*conversation).dismiss,
	"config":  (*conversation).config,
	"help":    (*conversation).help,
}

// The reactions to a comment with commands: seen, done, and not or not all
// done.
const (
	reactionSeen     = "eyes"
	reactionDone     = "+1"
	reactionConfused = "confused"
)

// commented does what the commands of a comment ask for, if whoever wrote it
// may write to the repository at this moment.
func (p *Pipeline) commented(ctx context.Context, d store.Delivery, ev review.Event) error {
	asked := webhook.Commands(ev.Comment.Body)
	if !ev.Comment.OnPull || ev.Comment.Author.Bot || ev.Sender.Bot || len(asked) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the comment holds no command of a person on a pull request")
	}
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	level, err := repo.Permission(ctx, ev.Comment.Author.Login)
	if err != nil && fault.KindOf(err) != fault.Gone {
		return err
	}
	if err != nil || !slices.Contains([]string{"admin", "maintain", "write"}, level) {
		if err := p.react(ctx, repo, ev, reactionConfused); err != nil {
			return err
		}
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "whoever wrote the command may not write to the repository")
	}
	if err := p.react(ctx, repo, ev, reactionSeen); err != nil {
		return err
	}
	c, err := p.converse(ctx, repo, d, ev)
	if err != nil {
		return err
	}
	if c == nil {
		return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "the head has moved on")
	}
	for _, command := range asked {
		if err := c.do(ctx, command); err != nil {
			return err
		}
	}
	return c.end(ctx)
}

// react puts a reaction on the comment; a comment that is gone or locked is no
// reason not to do what it asks for.
func (p *Pipeline) react(ctx context.Context, repo People, ev review.Event, content string) error {
	return p.unlessRefused("reaction", ev, repo.React(ctx, ev.Comment.ID, content))
}

func (p *Pipeline) unlessRefused(what string, ev review.Event, err error) error {
	switch fault.KindOf(err) {
	case fault.Gone, fault.Unauthorized, fault.Invalid:
		p.Logger.Warn("no "+what+" to a command", "repo", ev.Repo.String(), "comment", ev.Comment.ID, "error", err)
		return nil
	}
	return err
}

// conversation is a comment with commands while they are being done.
type conversation struct {
	p    *Pipeline
	repo Repository
	d    store.Delivery
	ev   review.Event
	// seen is the pull request as it was known before GitHub was asked; pull,
	// as GitHub has it. All commands are about its head.
	seen store.Subject
	pull review.Pull

	runs     []store.Run
	parts    []string
	unknown  bool // a command that does not exist
	confused bool // one that was not done
}

// converse begins. It is nil when an earlier try of the delivery has opened runs
// of a head that is not the pull request's any more.
func (p *Pipeline) converse(ctx context.Context, repo Repository, d store.Delivery, ev review.Event) (*conversation, error) {
	c := &conversation{p: p, repo: repo, d: d, ev: ev}
	var err error
	if c.seen, _, err = p.Store.Subject(ctx, ev.Repo.ID, ev.Comment.Number); err != nil {
		return nil, err
	}
	if c.pull, err = repo.Pull(ctx, ev.Comment.Number); err != nil {
		return nil, err
	}
	opened, err := p.Store.RunsOfDelivery(ctx, d.GUID)
	if err != nil || len(opened) > 0 && opened[0].Pull.HeadSHA != c.pull.HeadSHA {
		return nil, err
	}
	c.ev.Pull, c.ev.PullUpdatedAt = &c.pull, c.seen.PullUpdatedAt
	return c, nil
}

func (c *conversation) do(ctx context.Context, command webhook.Command) error {
	do, ok := commands[command.Verb]
	if !ok {
		c.unknown, c.confused = true, true
		return nil
	}
	return do(c, ctx, command)
}

func (c *conversation) say(part string) {
	if !slices.Contains(c.parts, part) {
		c.parts = append(c.parts, part)
	}
}

// cannot says why a command was not done.
func (c *conversation) cannot(format string, args ...any) error {
	c.confused = true
	c.say(fmt.Sprintf(format, args...) + "\n")
	return nil
}

func (c *conversation) help(context.Context, webhook.Command) error {
	c.say(reports.Help)
	return nil
}

// review opens new attempts of one pipeline, or of all that review pull
// requests, as a re-run from GitHub's own pages does.
func (c *conversation) review(ctx context.Context, command webhook.Command) error {
	if c.pull.Closed {
		return c.cannot("The pull request is closed.")
	}
	asked := c.ev
	asked.Name, asked.Action, asked.Check = "check_suite", "rerequested", &review.Check{HeadSHA: c.pull.HeadSHA}
	if command.Target != "" {
		settings, err := c.p.settings(ctx, c.repo, c.ev)
		if err != nil {
			return err
		}
		if names := settings.names(); !slices.Contains(names, command.Target) {
			return c.cannot("There is no pipeline %s: there are %s.", reports.Code(command.Target), codes(names))
		}
		asked.Name, asked.Check.Name = "check_run", review.CheckName(command.Target)
	}
	decision, err := c.p.decide(ctx, c.repo, c.d, asked)
	if err != nil {
		return err
	}
	runs, err := c.p.runsOf(decision, c.ev)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return c.cannot("No pipeline reviews pull requests.")
	}
	for _, r := range runs {
		if r.Status == review.StatusSkipped {
			c.say(fmt.Sprintf("Pipeline %s: %s.\n", reports.Code(r.Pipeline), reports.Prose(r.Reason)))
		}
		c.open(r)
	}
	return nil
}

// open asks for a run. A whole review comes before one that only judges again.
func (c *conversation) open(r store.Run) {
	i := slices.IndexFunc(c.runs, func(other store.Run) bool { return other.Pipeline == r.Pipeline })
	switch {
	case i < 0:
		c.runs = append(c.runs, r)
	case c.runs[i].Judged && !r.Judged:
		c.runs[i] = r
	}
}

// found is a finding that a command names.
type found struct {
	review.Finding
	run store.Run
}

// findings are the findings of the latest runs of the head.
func (c *conversation) findings(ctx context.Context) ([]found, error) {
	latest, err := c.p.Store.LatestOfPull(ctx, c.ev.Repo.ID, c.pull.Number, c.pull.HeadSHA)
	if err != nil {
		return nil, err
	}
	dismissals, err := c.p.Store.Dismissals(ctx, c.ev.Repo.ID, c.pull.Number)
	if err != nil {
		return nil, err
	}
	var list []found
	for _, r := range latest {
		mark(r.Findings, dismissals)
		for _, f := range r.Findings {
			list = append(list, found{f, r})
		}
	}
	return list, nil
}

// minPrefix is how much of a finding's ID a command has to give.
const minPrefix = 4

// name finds what a command names; an empty ID says that it said why not. A
// finding that several pipelines share is there once for each.
func (c *conversation) name(ctx context.Context, target string) (id string, in []found, err error) {
	list, err := c.findings(ctx)
	if err != nil {
		return "", nil, err
	}
	prefix := strings.ToLower(strings.Trim(target, "`"))
	for _, f := range list {
		if len(prefix) >= minPrefix && strings.HasPrefix(f.ID, prefix) {
			in = append(in, f)
		}
	}
	switch {
	case len(in) == 0:
		return "", nil, c.cannot("There is no finding %s at %s; `/assay explain` lists those that there are.", reports.Code(target), short(c.pull.HeadSHA))
	case slices.ContainsFunc(in, func(f found) bool { return f.ID != in[0].ID }):
		return "", nil, c.cannot("Several findings begin with %s: give more of the ID.", reports.Code(target))
	}
	return in[0].ID, in, nil
}

func (c *conversation) explain(ctx context.Context, command webhook.Command) error {
	if command.Target != "" {
		id, in, err := c.name(ctx, command.Target)
		if id != "" {
			c.say(reports.Explain(in[0].Finding, c.p.runURL(in[0].run.ID)))
		}
		return err
	}
	list, err := c.findings(ctx)
	if err != nil {
		return err
	}
	var once []review.Finding
	for _, f := range list {
		if !slices.ContainsFunc(once, func(other review.Finding) bool { return other.ID == f.ID }) {
			once = append(once, f.Finding)
		}
	}
	if len(once) == 0 {
		c.say("No findings at " + short(c.pull.HeadSHA) + ".\n")
		return nil
	}
	c.say("The findings at " + short(c.pull.HeadSHA) + ":\n\n" + reports.List(once))
	return nil
}

// dismiss keeps a dismissal and has the runs that have made the finding judged
// again, without running their agents.
func (c *conversation) dismiss(ctx context.Context, command webhook.Command) error {
	if command.Target == "" || command.Rest == "" {
		return c.cannot("To dismiss a finding, give its ID and the reason: `/assay dismiss <finding> <reason>`.")
	}
	id, in, err := c.name(ctx, command.Target)
	if id == "" {
		return err
	}
	if err := c.p.Store.Dismiss(ctx, store.Dismissal{
		RepoID: c.ev.Repo.ID, Number: c.pull.Number, Fingerprint: id, Who: c.ev.Comment.Author.Login, Reason: command.Rest, At: c.p.Now().UTC(),
	}); err != nil {
		return err
	}
	c.p.Crash("dismissed")
	for _, f := range in {
		if err := c.judgeAgain(ctx, f.run.ID); err != nil {
			return err
		}
	}
	return nil
}

// judgeAgain looks at the run after the dismissal was stored: one whose result
// is not stored yet will see the dismissal itself.
func (c *conversation) judgeAgain(ctx context.Context, id string) error {
	r, err := c.p.Store.Run(ctx, id)
	if err != nil {
		return err
	}
	open := false // kept so, and nobody works on it
	if r.Judged && !r.Status.Final() && !r.AwaitUntil.IsZero() {
		working, err := c.p.Queue.Working(ctx, r)
		if err != nil {
			return err
		}
		// Who works on it from here on sees the dismissal; who just did may not have.
		if r, err = c.p.Store.Run(ctx, id); err != nil {
			return err
		}
		open = !working && !r.Status.Final()
	}
	switch {
	case c.pull.Closed, open:
		return nil
	case r.Delivery == c.d.GUID: // of an earlier try
		c.open(r)
	case r.Status == review.StatusDone:
		c.open(c.p.judgedAgain(r, c.ev))
	case r.Judged && !r.Status.Final():
		return fault.Until(fault.Busy, c.p.Now().Add(apiLagWait), fmt.Errorf("run %s is being published", id))
	}
	return nil
}

func (c *conversation) config(ctx context.Context, _ webhook.Command) error {
	settings, err := c.p.settings(ctx, c.repo, c.ev)
	if err != nil {
		return err
	}
	c.say(describe(settings, c.pull.BaseRef))
	return nil
}

// describe lists the files and the pipelines in force, and the mistakes for
// which a file is not.
func describe(s inForce, branch string) string {
	var b strings.Builder
	files := []string{"the built-in config"}
	for _, l := range s.layers {
		if !s.leftOut(l.Kind) {
			files = append(files, nameOf(l, branch))
		}
	}
	fmt.Fprintf(&b, "In force is %s", files[len(files)-1])
	if below := files[:len(files)-1]; len(below) > 0 {
		slices.Reverse(below)
		fmt.Fprintf(&b, " over %s", strings.Join(below, " over "))
	}
	b.WriteString(".\n")
	for _, l := range s.layers {
		if s.leftOut(l.Kind) {
			fmt.Fprintf(&b, "\nLeft out, since it has mistakes, is %s.\n", nameOf(l, branch))
		}
	}
	if len(s.Problems) > 0 {
		b.WriteString("\n")
	}
	for _, problem := range s.Problems {
		fmt.Fprintf(&b, "- %s line %d: %s\n", reports.Code(problem.Path), problem.Line, reports.Prose(problem.Message))
	}
	b.WriteString("\n")
	for _, pipeline := range s.Config.Pipelines {
		fmt.Fprintf(&b, "- %s on %s\n", reports.Code(pipeline.Name), codes(pipeline.On))
	}
	return b.String()
}

// nameOf is a layer's file in a sentence. The operator's path is nobody else's
// business.
func nameOf(l strategy.Layer, branch string) string {
	switch l.Kind {
	case strategy.Operator:
		return "the operator's file"
	case strategy.Organisation:
		return "the organisation's " + reports.Code(l.Path)
	default:
		return reports.Code(l.Path) + " on " + reports.Code(branch)
	}
}

func codes(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = reports.Code(s)
	}
	return strings.Join(quoted, ", ")
}

// end opens the runs, answers and finishes the delivery. Each step finds what
// an earlier try has done.
func (c *conversation) end(ctx context.Context) error {
	var opened []store.Run
	if len(c.runs) > 0 {
		var err error
		o := queue.Opening{Delivery: c.d, Subject: subjectOf(c.ev), Seen: c.seen, Runs: c.runs, Rerun: true}
		if opened, err = c.p.start(ctx, c.repo, o); err != nil {
			return err
		}
		if len(opened) < len(c.runs) {
			c.say("A review of " + short(c.pull.HeadSHA) + " is under way already.\n")
		}
	}
	if err := c.p.unlessRefused("answer", c.ev, c.answer(ctx)); err != nil {
		return err
	}
	c.p.Crash("answered")
	reaction := reactionDone
	if c.confused {
		reaction = reactionConfused
	}
	if err := c.p.react(ctx, c.repo, c.ev, reaction); err != nil {
		return err
	}
	return c.p.Queue.Commit(ctx, c.d, opened)
}

// answer posts what there is to say in one comment, which is found again by its
// marker. Of unknown commands people are told once per pull request.
func (c *conversation) answer(ctx context.Context) error {
	marker := reports.AnswerMarker(c.ev.Comment.ID)
	markers := []string{marker}
	if c.unknown {
		_, body, told, err := c.repo.FindComment(ctx, c.pull.Number, reports.HelpMarker)
		if err != nil {
			return err
		}
		if !told || strings.Contains(body, marker) {
			markers = append(markers, reports.HelpMarker)
			c.say(reports.Help)
		}
	}
	if len(c.parts) == 0 {
		return nil
	}
	body := reports.Answer(markers, c.parts)
	id, _, posted, err := c.repo.FindComment(ctx, c.pull.Number, marker)
	if err != nil {
		return err
	}
	if posted {
		return c.repo.UpdateComment(ctx, id, body)
	}
	_, err = c.repo.CreateComment(ctx, c.pull.Number, marker, body)
	return err
}
