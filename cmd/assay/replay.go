package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"assay/internal/app"
	"assay/internal/fault"
	"assay/internal/pipeline"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/webhook"
)

type replayCmd struct {
	Delivery string `arg:"" help:"The GUID of a stored delivery (X-GitHub-Delivery), or a file with a payload." placeholder:"DELIVERY|FILE"`
	Event    string `help:"The event of a payload file (X-GitHub-Event)." default:"pull_request"`
}

// Help is shown by assay replay --help.
func (replayCmd) Help() string {
	return `Adds the work to the service's database (DATA_DIR or DATABASE_URL). A running
service takes it up at once, else the next one to start. A dead letter is taken
up again as it is; anything else is reviewed anew, on the same check run.`
}

func (c replayCmd) Run(cmd command) error {
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
	guid, err := c.replay(cmd, st, q)
	if err := errors.Join(err, q.Stop(context.WithoutCancel(cmd.ctx))); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.stdout, "queued as delivery %s; see `assay runs`\n", guid)
	return err
}

func (c replayCmd) replay(cmd command, st *store.Store, q *queue.Queue) (string, error) {
	body, err := os.ReadFile(c.Delivery)
	if err == nil {
		return c.add(cmd.ctx, q, c.Event, "file", body)
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
