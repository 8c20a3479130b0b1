package reviewer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"assay/agents"
	"assay/internal/fault"
	"assay/internal/llm"
	"assay/review"
)

const (
	// parallel is how many requests of one run are under way at a time.
	parallel = 4
	// perUnit is what a unit takes beside its diff, in tokens: what surrounds
	// the hunks, the answer, the second look. System prompt and tools come on top.
	perUnit = 3_000
	// perRound is how often a unit's prompt is sent at least: to look, and to
	// answer.
	perRound = 2
	// maxBeyond is for how many units that the budget does not reach it is looked
	// up whether their answers are known: that reads their files.
	maxBeyond = 60
)

// job is one run of the agent.
type job struct {
	agent          *Agent
	in             agents.Input
	model, skeptic llm.Model
	limits         limits
	source         *source
	tools          *tools
	meter          *meter
	// beyond counts the units that the budget did not reach.
	beyond atomic.Int32
	// key names what all requests of the run depend on.
	key string
}

// outcome is what became of a unit.
type outcome struct {
	findings []review.Finding
	examined []string
	dropped  dropped
	// hidden counts, by path, the added lines that the model was not shown whole.
	hidden map[string]int
	// err is why there is no answer; refusal, why none was asked for.
	err     error
	refusal string
}

func (j *job) run(ctx context.Context) (agents.Result, error) {
	var result agents.Result
	var mine []review.File
	for _, f := range j.in.Change.Files {
		why := exempt(f)
		switch {
		case why != "":
			result.Coverage = append(result.Coverage, review.Coverage{Path: f.Path, Level: review.NotApplicable, Reason: why})
		case len(f.Hunks) == 0:
			result.Coverage = append(result.Coverage, review.Coverage{Path: f.Path, Level: review.Skipped, Reason: f.Unread})
		default:
			mine = append(mine, f)
		}
	}
	units := unitsOf(mine, j.in.Prior)
	outcomes, err := j.review(ctx, units)
	result.Coverage = append(result.Coverage, cover(mine, units, outcomes)...)
	var lost dropped
	for _, o := range outcomes {
		result.Findings = append(result.Findings, o.findings...)
		lost = lost.add(o.dropped)
	}
	result.Findings, lost.TooMany = worst(result.Findings, lost.TooMany)
	result.Findings = append(result.Findings, j.addressed()...)
	result.Note = note(lost)
	result.Usage = j.meter.usage()
	return result, err
}

// review goes over the units, the first ones first, as far as the budget goes.
// Its error is that of the run: it stops at one that the next unit would meet
// too, and where there was no answer at all.
func (j *job) review(ctx context.Context, units []unit) ([]outcome, error) {
	outcomes := make([]outcome, len(units))
	overhead := j.overhead()
	slots := make(chan struct{}, parallel)
	var all sync.WaitGroup
	defer all.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for i, u := range units {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			outcomes[i].err = context.Cause(ctx)
			continue
		}
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil { // nobody else recovers what is not on the runner's goroutine
					j.agent.cfg.Logger.ErrorContext(ctx, "review of a part panicked", "panic", p, "stack", string(debug.Stack()))
					outcomes[i] = outcome{err: errPanic}
					stop(errPanic)
				}
				<-slots
			}()
			outcomes[i] = j.unit(ctx, u, perRound*(overhead+u.tokens())+perUnit)
			if err := outcomes[i].err; err != nil {
				j.agent.cfg.Logger.WarnContext(ctx, "part of a change not reviewed", "files", len(u.parts), "error", err.Error())
				if fault.KindOf(err) != fault.Invalid {
					stop(err)
				}
			}
		})
	}
	all.Wait()
	return outcomes, verdictOf(ctx, outcomes)
}

// verdictOf is the error of a run, by what became of its units.
func verdictOf(ctx context.Context, outcomes []outcome) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("ask the model: %w", cause)
	}
	var first error
	for _, o := range outcomes {
		switch {
		case o.err == nil && o.refusal == "":
			return nil // there is proof of some work; the receipt says of how much
		case first == nil:
			first = o.err
		}
	}
	if first == nil {
		return nil
	}
	return fmt.Errorf("ask the model: %w", first)
}

// unit reviews one unit: from what is kept, or by asking.
func (j *job) unit(ctx context.Context, u unit, tokens int) outcome {
	if j.meter.late() {
		return outcome{refusal: lateReason}
	}
	if refusal := j.meter.refuse(tokens); refusal != "" && j.beyond.Add(1) > maxBeyond {
		return outcome{refusal: refusal}
	}
	s, err := j.sheet(ctx, u)
	if err != nil {
		return outcome{err: err}
	}
	if kept, ok := j.lookup(ctx, s); ok {
		kept.hidden = s.hidden()
		return kept
	}
	if refusal := j.meter.reserve(tokens); refusal != "" {
		return outcome{refusal: refusal}
	}
	o := func() outcome {
		defer j.meter.release(tokens) // before others are waited for
		return j.answered(ctx, s, tokens)
	}()
	o.hidden = s.hidden()
	if !u.bare && o.err != nil && fault.KindOf(o.err) == fault.Invalid {
		return j.apart(ctx, u, o)
	}
	return o
}

// apart reviews the files of a unit again whose answer cannot be used, each
// without the others and without the author's words: what has led the model
// astray in one of them should not keep the rest from being reviewed.
func (j *job) apart(ctx context.Context, u unit, failed outcome) outcome {
	all := outcome{err: failed.err, hidden: failed.hidden}
	for _, p := range u.parts {
		alone := unit{parts: []part{p}, bare: true}
		o := j.unit(ctx, alone, perRound*(j.overhead()+alone.tokens())+perUnit)
		switch {
		case o.err != nil && fault.KindOf(o.err) != fault.Invalid:
			return o
		case o.err == nil && o.refusal == "":
			all.err = nil
			all.findings, all.examined, all.dropped = append(all.findings, o.findings...), append(all.examined, o.examined...), all.dropped.add(o.dropped)
		}
	}
	return all
}

// overhead is what each request takes whatever it is about, in tokens.
func (j *job) overhead() int { return llm.Estimate(j.system()) + j.tools.tokens }

// answered asks the models about a sheet.
func (j *job) answered(ctx context.Context, s *sheet, tokens int) outcome {
	said, talk, err := j.converse(ctx, s, tokens)
	if err != nil {
		return outcome{err: err}
	}
	o := outcome{examined: j.examined(s, said.Examined)}
	if len(o.examined) == 0 {
		return outcome{err: fault.New(fault.Invalid, errors.New("the answer names no file that it was asked about"))}
	}
	o.findings, o.dropped = j.findings(s, said.Findings)
	refuted, unsure, err := j.doubt(ctx, s, &o.findings, &talk)
	if err != nil {
		return outcome{err: err}
	}
	o.dropped.Refuted, o.dropped.Unproven = refuted, unsure
	j.keep(ctx, s, o, talk)
	return o
}

var errPanic = errors.New("the agent crashed")

const lateReason = "the time for the review is up"

// examined are the unit's paths that the model named.
func (j *job) examined(s *sheet, named []string) (paths []string) {
	for _, path := range s.unit.paths() {
		if slices.ContainsFunc(named, func(n string) bool { return n == path || n == j.source.path(path) }) {
			paths = append(paths, path)
		}
	}
	return paths
}

// worst are the findings that are worth their reader's time.
func worst(found []review.Finding, over int) ([]review.Finding, int) {
	bySeverity(found)
	if n := len(found) - maxFindings; n > 0 {
		return found[:maxFindings], over + n
	}
	return found, over
}

func bySeverity(found []review.Finding) {
	slices.SortStableFunc(found, func(a, b review.Finding) int { return int(b.Severity) - int(a.Severity) })
}

// note says what of the model's words was left out.
func note(d dropped) string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(d.NoQuote, "dropped for quoting code that does not stand in the change")
	add(d.Outside, "dropped for being about files that were not asked about")
	add(d.Malform, "dropped for saying nothing")
	add(d.Refuted, "refuted at a second look")
	add(d.Known, "reported before")
	add(d.TooMany, "left out as the least severe")
	if len(parts) == 0 {
		return ""
	}
	return "of what the model said: " + strings.Join(parts, ", ")
}

// addressed are the places where the change gives orders to its reviewer.
func (j *job) addressed() (found []review.Finding) {
	const words = " gives orders to an automated reviewer. They were not followed; take them out, and look at the change with more care."
	add := func(path string, line int, evidence, where string) {
		if len(found) < maxFindings {
			f := review.Finding{Agent: Name, Rule: addressedRule, Severity: review.Medium, Category: review.Security, Path: path, StartLine: line, EndLine: line, Message: where + words}
			f.Evidence = bounded(visible(j.source.mask(evidence)), maxClaim)
			found = append(found, f)
		}
	}
	pull := j.in.Change.Pull
	switch {
	case addresses(pull.Title):
		add("", 0, pull.Title, "The title")
	case addresses(pull.Body):
		add("", 0, "", "The description")
	case addresses(pull.HeadRef):
		add("", 0, pull.HeadRef, "The name of the branch")
	}
	for _, f := range j.in.Change.Files {
		if addresses(f.Path) {
			add(f.Path, 0, "", "The name of the file")
		}
		for l := range f.Added() {
			if addresses(l.Text) {
				add(f.Path, l.New, l.Text, "This line")
				break // one a file says enough
			}
		}
	}
	return found
}
