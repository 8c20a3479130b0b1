package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Schedule is a schedule that a repository's config listens to.
type Schedule struct {
	Name string
	// Spec is what the config says of its times.
	Spec string
	// NextAt is when it is due.
	NextAt time.Time
}

// Unread is a repository whose config is to be read for its schedules.
type Unread struct {
	Repository
	// mark is when the reading was due: a later demand has another.
	mark int64
}

// Due is a schedule that is due in a repository.
type Due struct {
	Repository
	Schedule
}

// workable are the repositories that may be worked on, as in Repositories.
const workable = `active = 1 AND NOT EXISTS (SELECT 1 FROM installations WHERE installations.id = installation_id AND status <> 'active')`

// UnreadSchedules lists repositories whose config is to be read now, those
// first for which that was asked last: a push is waited for, a routine look is
// not.
func (s *Store) UnreadSchedules(ctx context.Context, limit int) ([]Unread, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+repositoryColumns+`, schedules_at FROM repositories
		WHERE schedules_at <= $1 AND `+workable+` ORDER BY schedules_at DESC, id LIMIT $2`, s.micros(), limit)
	if err != nil {
		return nil, classify(fmt.Errorf("list repositories whose schedules are not read: %w", err))
	}
	defer rows.Close()
	var list []Unread
	for rows.Next() {
		var u Unread
		if u.Repository, err = scanRepository(rows, &u.mark); err != nil {
			return nil, fmt.Errorf("list repositories whose schedules are not read: %w", err)
		}
		list = append(list, u)
	}
	return list, classify(rows.Err())
}

// SetSchedules keeps what reading a repository's config has brought, and when
// it is to be read again. A schedule that is known with the same spec keeps its
// time. Where another reading was asked for meanwhile that stays due.
func (s *Store) SetSchedules(ctx context.Context, u Unread, list []Schedule, again time.Time) error {
	err := s.Write(ctx, func(tx *sql.Tx) error {
		known, err := schedulesOf(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		for _, sch := range list {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO schedules (repo_id, name, spec, next_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (repo_id, name) DO UPDATE SET spec = excluded.spec, next_at = excluded.next_at WHERE schedules.spec <> excluded.spec`,
				u.ID, sch.Name, sch.Spec, toMicros(sch.NextAt))
			if err != nil {
				return err
			}
			delete(known, sch.Name)
		}
		for name := range known {
			if _, err := tx.ExecContext(ctx, `DELETE FROM schedules WHERE repo_id = $1 AND name = $2`, u.ID, name); err != nil {
				return err
			}
		}
		return putOffReading(ctx, tx, u, again)
	})
	if err != nil {
		return fmt.Errorf("keep schedules of %s: %w", u.Repo, err)
	}
	return nil
}

func schedulesOf(ctx context.Context, tx *sql.Tx, repoID int64) (map[string]bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM schedules WHERE repo_id = $1`, repoID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		known[name] = true
	}
	return known, rows.Err()
}

func putOffReading(ctx context.Context, tx *sql.Tx, u Unread, again time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE repositories SET schedules_at = $1 WHERE id = $2 AND schedules_at = $3`, toMicros(again), u.ID, u.mark)
	return err
}

// PutOffSchedules notes when a config that could not be read is to be read.
func (s *Store) PutOffSchedules(ctx context.Context, u Unread, again time.Time) error {
	err := s.Write(ctx, func(tx *sql.Tx) error { return putOffReading(ctx, tx, u, again) })
	if err != nil {
		return fmt.Errorf("put off schedules of %s: %w", u.Repo, err)
	}
	return nil
}

// ReadSchedulesAt has a repository's config read for its schedules at a time.
func (s *Store) ReadSchedulesAt(ctx context.Context, repoID int64, at time.Time) error {
	return s.readSchedulesAt(ctx, at, `id = $2`, repoID)
}

// ReadSchedulesOfOwnerAt is ReadSchedulesAt for all repositories of an account.
func (s *Store) ReadSchedulesOfOwnerAt(ctx context.Context, owner string, at time.Time) error {
	return s.readSchedulesAt(ctx, at, `lower(owner) = $2`, strings.ToLower(owner))
}

// ReadAllSchedulesAt is ReadSchedulesAt for all repositories.
func (s *Store) ReadAllSchedulesAt(ctx context.Context, at time.Time) error {
	return s.readSchedulesAt(ctx, at, `active = $2`, 1)
}

func (s *Store) readSchedulesAt(ctx context.Context, at time.Time, where string, arg any) error {
	err := s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE repositories SET schedules_at = $1 WHERE `+where, toMicros(at), arg)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for schedules to be read: %w", err)
	}
	return nil
}

// DueSchedules lists the schedules that are due in repositories that may be
// worked on, the one that waits longest first.
func (s *Store) DueSchedules(ctx context.Context, limit int) ([]Due, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT repositories.id, installation_id, owner, repositories.name, default_branch, private, schedules.name, spec, next_at
		FROM schedules JOIN repositories ON repositories.id = repo_id
		WHERE next_at <= $1 AND `+workable+` ORDER BY next_at, repo_id, schedules.name LIMIT $2`, s.micros(), limit)
	if err != nil {
		return nil, classify(fmt.Errorf("list due schedules: %w", err))
	}
	defer rows.Close()
	var list []Due
	for rows.Next() {
		var d Due
		var next int64
		if d.Repository, err = scanRepository(rows, &d.Schedule.Name, &d.Spec, &next); err != nil {
			return nil, fmt.Errorf("list due schedules: %w", err)
		}
		d.NextAt = fromMicros(next)
		list = append(list, d)
	}
	return list, classify(rows.Err())
}

// MoveSchedule moves a due schedule on to its next time. It reports false when
// somebody else has, or when it is gone.
func (s *Store) MoveSchedule(ctx context.Context, tx *sql.Tx, d Due, next time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `UPDATE schedules SET next_at = $1 WHERE repo_id = $2 AND name = $3 AND next_at = $4`,
		toMicros(next), d.ID, d.Schedule.Name, toMicros(d.NextAt))
	if err != nil {
		return false, fmt.Errorf("move schedule %s of %s on: %w", d.Schedule.Name, d.Repo, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func forgetSchedules(ctx context.Context, tx *sql.Tx, installation, repoID int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM schedules WHERE repo_id IN (SELECT id FROM repositories WHERE id = $1 AND installation_id = $2)`, repoID, installation)
	if err != nil {
		return fmt.Errorf("forget schedules of repository %d: %w", repoID, err)
	}
	return nil
}

// RepositoryNamed finds a repository that may be worked on by its name, in
// whichever case.
func (s *Store) RepositoryNamed(ctx context.Context, owner, name string) (r Repository, ok bool, err error) {
	r, err = scanRepository(s.read.QueryRowContext(ctx, `SELECT `+repositoryColumns+` FROM repositories
		WHERE lower(owner) = $1 AND lower(name) = $2 AND `+workable+` ORDER BY id DESC LIMIT 1`, strings.ToLower(owner), strings.ToLower(name)))
	if errors.Is(err, sql.ErrNoRows) {
		return Repository{}, false, nil
	}
	if err != nil {
		return Repository{}, false, classify(fmt.Errorf("look for repository %s/%s: %w", owner, name, err))
	}
	return r, true, nil
}

// UnderWay lists the runs of a pull request that are not final, oldest first.
// With the number 0 they are those about commits.
func (s *Store) UnderWay(ctx context.Context, repoID int64, number int) ([]Run, error) {
	return s.listRuns(ctx, s.read, `WHERE repo_id = $1 AND number = $2 AND status IN ('queued', 'running') ORDER BY seq`, repoID, number)
}

// NoteTrouble notes why a delivery that is being worked on has to wait.
func (s *Store) NoteTrouble(ctx context.Context, id int64, reason string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET reason = $1 WHERE id = $2 AND status = $3`, storable(reason), id, string(DeliveryAccepted))
		if err != nil {
			return fmt.Errorf("note trouble of delivery %d: %w", id, err)
		}
		return nil
	})
}
