package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"assay/internal/app"
	"assay/internal/fault"
	"assay/internal/pipeline"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/webhook"
)

type replayCmd struct {
	Delivery string        `arg:"" optional:"" help:"The GUID of a stored delivery (X-GitHub-Delivery), or a file with a payload." placeholder:"DELIVERY|FILE"`
	Event    string        `help:"The event of a payload file (X-GitHub-Event). Told from the payload when left out."`
	AllDead  bool          `help:"Take all dead deliveries up again. Only counts them without --yes."`
	Yes      bool          `help:"Do it." short:"y"`
	Wait     time.Duration `help:"How long to wait for what becomes of it." default:"3s"`
}

// Help is shown by assay replay --help.
func (replayCmd) Help() string {
	return `Adds the work to the service's database (DATA_DIR or DATABASE_URL). A running
service takes it up at once, else the next one to start. A dead letter is taken
up again as it is; anything else is reviewed anew, on the same check run.

Examples:
  assay replay 72d3162e-cc78-11e3-81ab-4c9367dc0958
  assay replay payload.json --event pull_request
  assay replay --all-dead --yes`
}

func (c replayCmd) Run(cmd command) error {
	if (c.Delivery == "") != c.AllDead {
		return errors.New("give a delivery, a file, or --all-dead")
	}
	st, err := openStore(cmd)
	if err != nil {
		return err
	}
	defer st.Close()
	q, err := queue.New(cmd.ctx, st, queue.Config{})
	if err != nil {
		return err
	}
	if err := q.Start(cmd.ctx, nil); err != nil {
		return err
	}
	work := c.one
	if c.AllDead {
		work = c.all
	}
	return errors.Join(work(cmd, st, q), q.Stop(context.WithoutCancel(cmd.ctx)))
}

// maxDead bounds how many dead deliveries are taken up by one command.
const maxDead = 100_000

// all takes all dead deliveries up again.
func (c replayCmd) all(cmd command, st *store.Store, q *queue.Queue) error {
	dead, err := st.Deliveries(cmd.ctx, store.DeliveryDead, maxDead)
	if err != nil {
		return err
	}
	if !c.Yes {
		_, err := fmt.Fprintf(cmd.stdout, "%s would be taken up again; add --yes to do it\n", many(len(dead), "dead delivery", "dead deliveries"))
		return err
	}
	n := 0
	for _, d := range dead {
		ok, err := q.Requeue(cmd.ctx, d.GUID)
		if err != nil {
			return fmt.Errorf("take up %s, after %d others: %w", d.GUID, n, err)
		}
		if ok {
			n++
		}
	}
	_, err = fmt.Fprintf(cmd.stdout, "%s taken up again; see `assay runs`\n", many(n, "dead delivery", "dead deliveries"))
	return err
}

func (c replayCmd) one(cmd command, st *store.Store, q *queue.Queue) error {
	guid, err := c.replay(cmd, st, q)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.stdout, "queued as delivery %s; see `assay runs`\n", guid)
	return c.follow(cmd, st, guid)
}

// followReplay is how often it is looked what became of a delivery.
const followReplay = 50 * time.Millisecond

// follow tells what became of the delivery, if a service decides in time.
func (c replayCmd) follow(cmd command, st *store.Store, guid string) error {
	ctx, cancel := context.WithTimeout(cmd.ctx, c.Wait)
	defer cancel()
	for {
		d, err := st.DeliveryByGUID(ctx, guid)
		switch {
		case ctx.Err() != nil:
			return nil // nobody has decided yet
		case err != nil:
			return err
		case d.Status == store.DeliveryDone:
			return c.opened(cmd, st, guid)
		case d.Status != store.DeliveryAccepted:
			return gateError{fmt.Sprintf("delivery %s is %s: %s", guid, d.Status, d.Reason)}
		}
		_ = pause(ctx, followReplay)
	}
}

func (c replayCmd) opened(cmd command, st *store.Store, guid string) error {
	runs, err := st.RunsOfDelivery(cmd.ctx, guid)
	for _, r := range runs {
		fmt.Fprintf(cmd.stdout, "%s: run %s, %s %s\n", r.Pipeline, r.ID, r.Status, r.Reason)
	}
	return err
}

func (c replayCmd) replay(cmd command, st *store.Store, q *queue.Queue) (string, error) {
	body, err := os.ReadFile(c.Delivery)
	if err == nil {
		return c.file(cmd.ctx, q, body)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read payload: %w", err)
	}
	d, err := st.DeliveryByGUID(cmd.ctx, c.Delivery)
	if fault.KindOf(err) == fault.Gone {
		return "", fmt.Errorf("%s is neither a file nor a stored delivery; `assay runs --json` lists deliveries of runs", c.Delivery)
	}
	if err != nil {
		return "", err
	}
	if ok, err := q.Requeue(cmd.ctx, d.GUID); ok || err != nil {
		return d.GUID, err
	}
	return c.add(cmd.ctx, q, d.Event, d.GUID, d.Body)
}

// file replays a payload, if anything would be done about it.
func (c replayCmd) file(ctx context.Context, q *queue.Queue, body []byte) (string, error) {
	event := c.Event
	if event == "" {
		event = webhook.NameOf(body)
	}
	if event == "" {
		return "", fmt.Errorf("what event %s is of cannot be told: give --event, as pull_request", c.Delivery)
	}
	ev, err := webhook.Parse(event, body)
	if err != nil {
		return "", fmt.Errorf("read payload as %s: %w", event, err)
	}
	if !webhook.Wanted(ev) {
		return "", fmt.Errorf("nothing acts on this %s, so it is not queued: it is no event that is subscribed to, a push to another than the default branch, an edit of nothing, or a comment without a command", ev)
	}
	return c.add(ctx, q, event, "file", body)
}

func (c replayCmd) add(ctx context.Context, q *queue.Queue, event, origin string, body []byte) (string, error) {
	ev, err := webhook.Parse(event, body)
	if err != nil {
		return "", fmt.Errorf("read payload as %s: %w", event, err)
	}
	guid := "replay-" + store.NewRunID()
	_, err = q.Accept(ctx, app.DeliveryRow(webhook.Delivery{
		GUID: guid, Event: ev, Header: map[string]string{pipeline.ReplayHeader: origin}, Body: body, SHA256: sha256.Sum256(body), Repeatable: true,
	}))
	return guid, err
}
