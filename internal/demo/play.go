package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"assay/internal/ghfake"
)

// lookEvery is how often the demo looks at GitHub for something to tell.
const lookEvery = 50 * time.Millisecond

// Play opens the sample pull requests one after another, tells what happens as
// it happens, and returns when all reports are there.
func (d *Demo) Play(ctx context.Context, w io.Writer) error {
	repo := d.github.AddRepo("octo-org/shop", baseFiles())
	d.github.Install(d.app, "octo-org", repo.FullName())
	t := teller{d: d, w: w, repo: repo}

	t.say("A pull request is opened that is risky in several ways:")
	risky := d.github.OpenPull(repo, ghfake.Pull{
		Title: "Capture charges through the new gateway", Author: "mona", Head: "feature/gateway",
		Body: "Charges go through the gateway of our new provider.",
	}, riskyFiles())
	if err := t.follow(ctx, risky); err != nil {
		return err
	}
	t.say("Another one is opened, with nothing to say about it:")
	clean := d.github.OpenPull(repo, ghfake.Pull{
		Title: "Give money back", Author: "hubot", Head: "feature/refund", Body: "Refunds, with their test.",
	}, cleanFiles())
	if err := t.follow(ctx, clean); err != nil {
		return err
	}
	t.say("The author of the first one pushes a fix:")
	d.github.Push(risky, fixFiles(), "Take the token from the environment, inject no title")
	return t.follow(ctx, risky)
}

// Footer tells where to look.
func (d *Demo) Footer(w io.Writer) {
	fmt.Fprintf(w, "\nLook around:\n  all runs             %s/\n  what GitHub shows    %s/octo-org/shop/pull/1\n", d.url, d.hubURL)
}

// teller tells what becomes of a pull request.
type teller struct {
	d    *Demo
	w    io.Writer
	repo *ghfake.Repo
}

func (t teller) say(text string) { fmt.Fprintf(t.w, "\n%s\n", text) }

func (t teller) note(format string, args ...any) {
	fmt.Fprintf(t.w, "  "+format+"\n", args...)
}

// follow tells each change of the head's check run and of the comment, until
// the check run is completed and the comment is what it will be.
func (t teller) follow(ctx context.Context, pull *ghfake.PullRequest) error {
	head := pull.HeadSHA()
	t.note("#%d at %.7s   %s", pull.Number, head, pull.URL())
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for shown := ""; ; {
		for _, check := range t.d.github.CheckRuns(t.repo, head) {
			if now := check.Status + check.Title; now != shown {
				shown = now
				t.note("check %q: %s, %s", check.Name, word(check), check.Title)
			}
			if check.Status == "completed" && t.d.settled(ctx, check.ExternalID) {
				t.report(pull, check)
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the report on pull request %d: %w", pull.Number, ctx.Err())
		case <-tick.C:
		}
	}
}

func word(check ghfake.CheckRun) string {
	if check.Conclusion != "" {
		return check.Conclusion
	}
	return strings.ReplaceAll(check.Status, "_", " ")
}

func (t teller) report(pull *ghfake.PullRequest, check ghfake.CheckRun) {
	for _, a := range check.Annotations {
		t.note("  %s:%d  %s", a.Path, a.StartLine, a.Title)
	}
	switch comments := t.d.github.Comments(pull); len(comments) {
	case 0:
		t.note("no comment: there is nothing to say")
	default:
		t.note("one comment, %d lines", strings.Count(comments[0].Body, "\n"))
	}
	t.note("conclusion %s   report %s", check.Conclusion, check.DetailsURL)
}

// settled reports whether the service has done all it will do for the run: the
// comment comes after the check run.
func (d *Demo) settled(ctx context.Context, run string) bool {
	r, err := d.service.Run(ctx, run)
	return err == nil && r.Status.Final()
}
