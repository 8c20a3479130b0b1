package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"assay/internal/app"
	"assay/internal/config"
	"assay/internal/store"
	"assay/review"
)

type runsCmd struct {
	Status string `help:"Only runs of this status: queued, running, done, skipped, superseded, cancelled or dead." enum:",queued,running,done,skipped,superseded,cancelled,dead" default:"" placeholder:"STATUS"`
	Limit  int    `help:"How many." default:"30" short:"n"`
	JSON   bool   `help:"Print JSON, one object."`
}

// Help is shown by assay runs --help.
func (runsCmd) Help() string {
	return `Reads the service's database (DATA_DIR or DATABASE_URL); the service may be running.
Dead letters are runs and deliveries that failed for good: look at the reason,
mend it, then 'assay replay DELIVERY', or 'assay replay --all-dead'. Deliveries
that wait are shown with what they met last.

Examples:
  assay runs
  assay runs --status dead --json`
}

func (c runsCmd) Run(cmd command) error {
	st, err := openStore(cmd)
	if err != nil {
		return err
	}
	defer st.Close()
	runs, err := st.Runs(cmd.ctx, review.Status(c.Status), c.Limit)
	if err != nil {
		return err
	}
	dead, err := st.Deliveries(cmd.ctx, store.DeliveryDead, c.Limit)
	if err != nil {
		return err
	}
	waiting, err := st.Deliveries(cmd.ctx, store.DeliveryAccepted, c.Limit)
	if err != nil {
		return err
	}
	counts, err := st.CountDeliveries(cmd.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeRunsJSON(cmd.stdout, runs, dead, waiting, counts)
	}
	return writeRuns(cmd.stdout, runs, dead, waiting, counts)
}

func openStore(cmd command) (*store.Store, error) {
	cfg, err := config.Load(cmd.env)
	if err != nil {
		return nil, err
	}
	return app.OpenStore(cmd.ctx, cfg)
}

type listedDelivery struct {
	Delivery   string    `json:"delivery"`
	Event      string    `json:"event"`
	ReceivedAt time.Time `json:"received_at"`
	Reason     string    `json:"reason"`
}

func listed(deliveries []store.Delivery) []listedDelivery {
	list := []listedDelivery{}
	for _, d := range deliveries {
		list = append(list, listedDelivery{d.GUID, eventOf(d), d.ReceivedAt, d.Reason})
	}
	return list
}

func writeRunsJSON(w io.Writer, runs []store.Run, dead, waiting []store.Delivery, counts map[store.DeliveryStatus]int) error {
	out := struct {
		Runs              []review.Run                 `json:"runs"`
		DeadDeliveries    []listedDelivery             `json:"dead_deliveries"`
		WaitingDeliveries []listedDelivery             `json:"waiting_deliveries"`
		Deliveries        map[store.DeliveryStatus]int `json:"deliveries"`
	}{Runs: []review.Run{}, DeadDeliveries: listed(dead), WaitingDeliveries: listed(waiting), Deliveries: counts}
	for _, r := range runs {
		out.Runs = append(out.Runs, r.Run)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func writeRuns(w io.Writer, runs []store.Run, dead, waiting []store.Delivery, counts map[store.DeliveryStatus]int) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "QUEUED\tPULL REQUEST\tHEAD\tPIPELINE\tSTATUS\tRESULT\tRUN")
	for _, r := range runs {
		result := r.Reason
		if r.Status == review.StatusDone {
			result = fmt.Sprintf("%s, %d findings", r.Outcome.Conclusion, len(r.Findings))
		}
		fmt.Fprintf(t, "%s\t%s\t%.7s\t%s\t%s\t%s\t%s\n", r.QueuedAt.Local().Format("2006-01-02 15:04:05"), subject(r.Run), r.Pull.HeadSHA,
			r.Pipeline, r.Status, result, r.ID)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nDeliveries: %d waiting, %d done, %d superseded, %d ignored, %d dead\n", counts[store.DeliveryAccepted],
		counts[store.DeliveryDone], counts[store.DeliverySuperseded], counts[store.DeliveryIgnored], counts[store.DeliveryDead])
	writeDeliveries(w, "waiting", waiting)
	writeDeliveries(w, "dead", dead)
	return nil
}

func writeDeliveries(w io.Writer, state string, list []store.Delivery) {
	for _, d := range list {
		fmt.Fprintf(w, "%s: %s (%s, received %s)", state, d.GUID, eventOf(d), d.ReceivedAt.Local().Format("2006-01-02 15:04:05"))
		if d.Reason != "" {
			fmt.Fprintf(w, ": %s", d.Reason)
		}
		fmt.Fprintln(w)
	}
}

// subject is what a run is about: a pull request, or a branch.
func subject(r review.Run) string {
	if r.Pull.Number == 0 {
		return fmt.Sprintf("%s@%s", r.Repo, r.Pull.HeadRef)
	}
	return fmt.Sprintf("%s#%d", r.Repo, r.Pull.Number)
}

func eventOf(d store.Delivery) string { return review.Event{Name: d.Event, Action: d.Action}.String() }
