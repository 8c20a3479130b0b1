package store

import (
	"context"
	"fmt"
	"time"
)

// DeadWindow is how far back dead letters are counted: whoever looks at them
// once a week misses none.
const DeadWindow = 7 * 24 * time.Hour

// Backlog is what waits for work, and what was given up.
type Backlog struct {
	// Jobs counts the unfinished jobs by River's state. All of JobStates are
	// there.
	Jobs map[string]int
	// Oldest is the age of the oldest unfinished job, put off or not: how long
	// somebody has been waiting for an answer. 0 when there is none.
	Oldest time.Duration
	// DeadDeliveries and DeadRuns are the dead letters of the DeadWindow.
	DeadDeliveries, DeadRuns int
	// Awaiting are the runs that are not whole and wait for something outside.
	Awaiting int
}

// Unfinished is the number of unfinished jobs.
func (b Backlog) Unfinished() (n int) {
	for _, count := range b.Jobs {
		n += count
	}
	return n
}

// JobStates lists the states of unfinished jobs: ready for a worker, in the
// hands of one, failed and to be tried again, and put off until a known time.
func JobStates() []string { return []string{"available", "running", "retryable", "scheduled"} }

// unfinished is written so that River's index over states serves it.
//
// Jobs that complete runs are not among them: they wait for others, and the
// pull request has an answer.
const unfinished = `kind <> 'heal' AND state IN ('available', 'running', 'retryable', 'scheduled')`

// Backlog counts what waits. It reads indexes only, so that it may be asked
// every few seconds.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	b := Backlog{Jobs: make(map[string]int)}
	for _, state := range JobStates() {
		b.Jobs[state] = 0
	}
	if err := s.countJobs(ctx, b.Jobs); err != nil {
		return b, classify(fmt.Errorf("count jobs: %w", err))
	}
	// The database's clock is the one that the jobs' times are from.
	age := `EXTRACT(EPOCH FROM now() - min(created_at))::float8`
	if s.dialect == SQLite {
		age = `(julianday('now') - julianday(min(created_at))) * 86400`
	}
	var seconds float64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(`+age+`, 0), (SELECT count(*) FROM deliveries WHERE status = $1 AND received_at > $2),
		(SELECT count(*) FROM runs WHERE queued_at > $2 AND status = 'dead'),
		(SELECT count(*) FROM heals) FROM river_job WHERE `+unfinished,
		string(DeliveryDead), s.micros()-DeadWindow.Microseconds()).Scan(&seconds, &b.DeadDeliveries, &b.DeadRuns, &b.Awaiting)
	if err != nil {
		return b, classify(fmt.Errorf("measure the backlog: %w", err))
	}
	b.Oldest = max(0, time.Duration(seconds*float64(time.Second)))
	return b, nil
}

func (s *Store) countJobs(ctx context.Context, jobs map[string]int) error {
	rows, err := s.read.QueryContext(ctx, `SELECT CAST(state AS TEXT), count(*) FROM river_job WHERE `+unfinished+` GROUP BY state`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		jobs[state] = n
	}
	return rows.Err()
}
