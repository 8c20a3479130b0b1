package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"assay/internal/fault"
	"assay/review"
)

// Run is a run with what the store keeps beside it.
type Run struct {
	review.Run
	// Plan is what the run was asked to do, in strategy's JSON.
	Plan json.RawMessage
	// CheckID is the check run on GitHub; 0 until it was created.
	CheckID int64
	// CheckShows is the status that the check run was last given.
	CheckShows review.CheckStatus
	// Enqueued says that the run's job was inserted.
	Enqueued bool
	// Judged says that the agents are done and Outcome stands: after a crash
	// only the publishing is left.
	Judged bool
	// Resumed says that the run had been opened by an earlier try of its
	// delivery, which may have shown it. It is not stored.
	Resumed bool
	// Waits says that another attempt at the head is being worked on and shows
	// itself on the check run that the two share. It is not stored.
	Waits bool
	// Of is the attempt whose stored result this one takes over; empty for one
	// that makes its own. It is not stored.
	Of string
	// Revived is how often the run was found without a job and given one.
	Revived int
	// Seq orders runs by age.
	Seq int64
}

// NewRunID makes an ID that nobody can guess: 26 characters of base32, 128 bits.
func NewRunID() string { return rand.Text() }

const runColumns = `id, seq, delivery, installation_id, repo_id, owner, name, number, head_sha, pipeline, attempt, status, reason,
	check_id, check_shows, enqueued, judged, revived, queued_at, started_at, finished_at, plan, document`

func scanRun(row interface{ Scan(...any) error }) (Run, error) {
	var r Run
	var plan, document []byte
	var queued, started, finished int64
	var enqueued, judged int
	var c review.Run // the columns win over the document
	err := row.Scan(&c.ID, &r.Seq, &c.Delivery, &c.Installation, &c.Repo.ID, &c.Repo.Owner, &c.Repo.Name, &c.Pull.Number, &c.Pull.HeadSHA,
		&c.Pipeline, &c.Attempt, &c.Status, &c.Reason, &r.CheckID, &r.CheckShows, &enqueued, &judged, &r.Revived, &queued, &started, &finished, &plan, &document)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(document, &r.Run); err != nil {
		return r, fmt.Errorf("read document of run %s: %w", c.ID, err)
	}
	r.ID, r.Status, r.Reason, r.Attempt = c.ID, c.Status, c.Reason, c.Attempt
	r.QueuedAt, r.StartedAt, r.FinishedAt = fromMicros(queued), fromMicros(started), fromMicros(finished)
	r.Plan, r.Enqueued, r.Judged = plan, enqueued != 0, judged != 0
	return r, nil
}

// Run returns a run. A missing one is fault.Gone.
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	r, err := scanRun(s.read.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, fault.New(fault.Gone, fmt.Errorf("no run %s", id))
	}
	if err != nil {
		return r, classify(fmt.Errorf("read run %s: %w", id, err))
	}
	return r, nil
}

// RunTx is Run within a transaction.
func (s *Store) RunTx(ctx context.Context, tx *sql.Tx, id string) (Run, error) {
	r, err := scanRun(tx.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = $1`, id))
	if err != nil {
		return r, fmt.Errorf("read run %s: %w", id, err)
	}
	return r, nil
}

// Runs lists the latest runs, newest first, of one status or (with an empty
// one) of all.
func (s *Store) Runs(ctx context.Context, status review.Status, limit int) ([]Run, error) {
	return s.listRuns(ctx, s.read, `WHERE $1 = '' OR status = $1 ORDER BY queued_at DESC, seq DESC LIMIT $2`, string(status), limit)
}

// RunsOfDelivery lists the runs that the delivery opened.
func (s *Store) RunsOfDelivery(ctx context.Context, guid string) ([]Run, error) {
	return s.listRuns(ctx, s.read, `WHERE delivery = $1 ORDER BY pipeline`, guid)
}

// Attempts lists all runs of the pipeline at the head, oldest first.
func (s *Store) Attempts(ctx context.Context, repoID int64, headSHA, pipeline string) ([]Run, error) {
	return s.listRuns(ctx, s.read, attemptsWhere, repoID, headSHA, pipeline)
}

const attemptsWhere = `WHERE repo_id = $1 AND head_sha = $2 AND pipeline = $3 ORDER BY attempt`

// LatestOfPull lists the latest run of each pipeline at the head.
func (s *Store) LatestOfPull(ctx context.Context, repoID int64, number int, headSHA string) ([]Run, error) {
	return s.listRuns(ctx, s.read, `WHERE repo_id = $1 AND number = $2 AND head_sha = $3 AND attempt =
		(SELECT max(attempt) FROM runs AS later WHERE later.repo_id = runs.repo_id AND later.head_sha = runs.head_sha AND later.pipeline = runs.pipeline)
		ORDER BY pipeline`, repoID, number, headSHA)
}

// PullOfHead returns the number of the pull request whose run has that head;
// 0 when no run has. GitHub does not tell it for forks.
func (s *Store) PullOfHead(ctx context.Context, repoID int64, headSHA string) (int, error) {
	var number int
	err := s.read.QueryRowContext(ctx, `SELECT number FROM runs WHERE repo_id = $1 AND head_sha = $2 AND number <> 0 ORDER BY seq DESC LIMIT 1`, repoID, headSHA).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, classify(fmt.Errorf("find pull request of %s: %w", headSHA, err))
	}
	return number, nil
}

// AttemptsTx is Attempts within a transaction.
func (s *Store) AttemptsTx(ctx context.Context, tx *sql.Tx, repoID int64, headSHA, pipeline string) ([]Run, error) {
	return s.listRuns(ctx, tx, attemptsWhere, repoID, headSHA, pipeline)
}

// ActiveTx lists the runs of a pull request that are not final, oldest first.
func (s *Store) ActiveTx(ctx context.Context, tx *sql.Tx, repoID int64, number int) ([]Run, error) {
	return s.listRuns(ctx, tx, `WHERE repo_id = $1 AND number = $2 AND status IN ('queued', 'running') ORDER BY seq`, repoID, number)
}

func (s *Store) listRuns(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, where string, args ...any,
) ([]Run, error) {
	rows, err := db.QueryContext(ctx, `SELECT `+runColumns+` FROM runs `+where, args...)
	if err != nil {
		return nil, classify(fmt.Errorf("list runs: %w", err))
	}
	defer rows.Close()
	var list []Run
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// InsertRun stores a new run. Two runs of one pipeline, head and attempt cannot
// be: the second insert reports false.
func (s *Store) InsertRun(ctx context.Context, tx *sql.Tx, r Run) (bool, error) {
	document, err := json.Marshal(r.Run)
	if err != nil {
		return false, fmt.Errorf("store run: %w", err)
	}
	judged := 0
	if r.Judged {
		judged = 1
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO runs (id, delivery, installation_id, repo_id, owner, name, number, head_sha, pipeline, attempt, status, reason,
			check_id, judged, queued_at, finished_at, plan, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (repo_id, head_sha, pipeline, attempt) DO NOTHING`,
		r.ID, r.Delivery, r.Installation, r.Repo.ID, r.Repo.Owner, r.Repo.Name, r.Pull.Number, r.Pull.HeadSHA, r.Pipeline, r.Attempt,
		string(r.Status), r.Reason, r.CheckID, judged, toMicros(r.QueuedAt), toMicros(r.FinishedAt), []byte(r.Plan), document)
	if err != nil {
		return false, fmt.Errorf("store run of %s at %s: %w", r.Pipeline, r.Pull.HeadSHA, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// RefreshRun gives a run that waits what a later event asks of it. It reports
// false when the run does not wait any more.
func (s *Store) RefreshRun(ctx context.Context, tx *sql.Tx, r Run) (bool, error) {
	document, err := json.Marshal(r.Run)
	if err != nil {
		return false, fmt.Errorf("store run: %w", err)
	}
	return execActive(ctx, tx, `UPDATE runs SET plan = $2, document = $3 WHERE id = $1 AND status = 'queued' AND judged = 0`, r.ID, []byte(r.Plan), document)
}

// UnfinishedOf lists runs of an installation that are not final, the oldest
// first: of all its repositories, or of one where repoID is not 0.
func (s *Store) UnfinishedOf(ctx context.Context, tx *sql.Tx, installation, repoID int64, limit int) ([]Run, error) {
	return s.listRuns(ctx, tx, `WHERE installation_id = $1 AND ($2 = 0 OR repo_id = $2) AND status IN ('queued', 'running') ORDER BY seq LIMIT $3`,
		installation, repoID, limit)
}

// NoteCheck notes the check run of a run and what it shows.
func (s *Store) NoteCheck(ctx context.Context, runID string, checkID int64, shows review.CheckStatus) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET check_id = $1, check_shows = $2 WHERE id = $3`, checkID, string(shows), runID)
		if err != nil {
			return fmt.Errorf("note check run of %s: %w", runID, err)
		}
		return nil
	})
}

// NoteEnqueued notes that the run's job was inserted.
func (s *Store) NoteEnqueued(ctx context.Context, tx *sql.Tx, runID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE runs SET enqueued = 1 WHERE id = $1`, runID)
	if err != nil {
		return fmt.Errorf("note job of run %s: %w", runID, err)
	}
	return nil
}

// StartRun makes a waiting run a running one. It reports false when the run is
// final: superseded, cancelled or done.
func (s *Store) StartRun(ctx context.Context, runID string) (bool, error) {
	return s.updateActive(ctx, `UPDATE runs SET status = 'running', started_at = CASE WHEN started_at = 0 THEN $2 ELSE started_at END
		WHERE id = $1 AND status IN ('queued', 'running')`, runID, s.micros())
}

// SaveJudged keeps the result of the agents with the outcome. It reports false
// when the run became final meanwhile: its result must not be shown.
func (s *Store) SaveJudged(ctx context.Context, r review.Run) (bool, error) {
	document, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("store result of run %s: %w", r.ID, err)
	}
	return s.updateActive(ctx, `UPDATE runs SET document = $2, judged = 1 WHERE id = $1 AND status IN ('queued', 'running')`, r.ID, document)
}

// FinishRun gives a run that is not final its final status. It reports false
// when the run was final already.
func (s *Store) FinishRun(ctx context.Context, runID string, status review.Status, reason string) (bool, error) {
	return s.updateActive(ctx, finishRun, runID, string(status), storable(reason), s.micros())
}

// FinishRunTx is FinishRun within a transaction.
func (s *Store) FinishRunTx(ctx context.Context, tx *sql.Tx, runID string, status review.Status, reason string) (bool, error) {
	return execActive(ctx, tx, finishRun, runID, string(status), storable(reason), s.micros())
}

const finishRun = `UPDATE runs SET status = $2, reason = $3, finished_at = $4 WHERE id = $1 AND status IN ('queued', 'running')`

func (s *Store) updateActive(ctx context.Context, query string, runID string, args ...any) (ok bool, err error) {
	err = s.Write(ctx, func(tx *sql.Tx) error {
		ok, err = execActive(ctx, tx, query, runID, args...)
		return err
	})
	return ok, err
}

func execActive(ctx context.Context, tx *sql.Tx, query string, runID string, args ...any) (bool, error) {
	res, err := tx.ExecContext(ctx, query, append([]any{runID}, args...)...)
	if err != nil {
		return false, fmt.Errorf("update run %s: %w", runID, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// RunStatus returns just the status and reason of a run, for a worker to see
// whether its run still stands.
func (s *Store) RunStatus(ctx context.Context, runID string) (status review.Status, reason string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT status, reason FROM runs WHERE id = $1`, runID).Scan(&status, &reason)
	if err != nil {
		return "", "", classify(fmt.Errorf("read status of run %s: %w", runID, err))
	}
	return status, reason, nil
}

// OtherHeadSince reports whether the pull request had a run of another head
// queued after since.
func (s *Store) OtherHeadSince(ctx context.Context, tx *sql.Tx, r Run, since time.Time) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM runs WHERE repo_id = $1 AND number = $2 AND pipeline = $3 AND head_sha <> $4 AND queued_at > $5`,
		r.Repo.ID, r.Pull.Number, r.Pipeline, r.Pull.HeadSHA, toMicros(since)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for recent pushes: %w", err)
	}
	return n > 0, nil
}
