package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"assay/review"
)

// InstallationStatus is what an installation allows.
type InstallationStatus string

// The statuses. InstallationDeleted is final.
const (
	InstallationActive    InstallationStatus = "active"
	InstallationSuspended InstallationStatus = "suspended"
	InstallationDeleted   InstallationStatus = "deleted"
)

// Installation is an installation of the app.
type Installation struct {
	ID        int64
	Account   string
	Status    InstallationStatus
	UpdatedAt time.Time
}

// Repository is a repository that the app is installed on.
type Repository struct {
	review.Repo
	Installation int64
}

// NoteInstallation keeps what an event tells of an installation, unless a later
// event is known or the installation was deleted.
func (s *Store) NoteInstallation(ctx context.Context, in Installation) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO installations (id, account, status, updated_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, status = excluded.status, updated_at = excluded.updated_at
			WHERE installations.status <> $5 AND (excluded.status = $5 OR installations.updated_at <= excluded.updated_at)`,
			in.ID, in.Account, string(in.Status), toMicros(in.UpdatedAt), string(InstallationDeleted))
		if err != nil {
			return fmt.Errorf("note installation %d: %w", in.ID, err)
		}
		return nil
	})
}

// Installation returns an installation; ok is false for one that no event has
// told of yet, which is no sign that it does not exist.
func (s *Store) Installation(ctx context.Context, id int64) (in Installation, ok bool, err error) {
	var updated int64
	err = s.read.QueryRowContext(ctx, `SELECT id, account, status, updated_at FROM installations WHERE id = $1`, id).Scan(&in.ID, &in.Account, &in.Status, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return Installation{}, false, nil
	}
	if err != nil {
		return Installation{}, false, classify(fmt.Errorf("read installation %d: %w", id, err))
	}
	in.UpdatedAt = fromMicros(updated)
	return in, true, nil
}

// AddRepositories notes that the installation has the repositories, as active.
func (s *Store) AddRepositories(ctx context.Context, installation int64, repos []review.Repo) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		for _, r := range repos {
			if err := putRepository(ctx, tx, installation, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// putRepository keeps what is known of a default branch where r does not tell.
func putRepository(ctx context.Context, tx *sql.Tx, installation int64, r review.Repo) error {
	private := 0
	if r.Private {
		private = 1
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO repositories (id, installation_id, owner, name, default_branch, private, active) VALUES ($1, $2, $3, $4, $5, $6, 1)
		ON CONFLICT (id) DO UPDATE SET installation_id = excluded.installation_id, owner = excluded.owner, name = excluded.name, private = excluded.private, active = 1, schedules_at = 0,
			default_branch = CASE WHEN excluded.default_branch = '' THEN repositories.default_branch ELSE excluded.default_branch END`,
		r.ID, installation, r.Owner, r.Name, r.DefaultBranch, private)
	if err != nil {
		return fmt.Errorf("note repository %s: %w", r, err)
	}
	return nil
}

// SeeRepository notes a repository that an event came from, where that is news.
// One that was taken from the installation stays so: events come late.
func (s *Store) SeeRepository(ctx context.Context, installation int64, r review.Repo) error {
	known, active, err := s.repository(ctx, r.ID)
	if err != nil {
		return err
	}
	news := known.ID == 0 || active && (known.Installation != installation || known.Repo != r && r.DefaultBranch != "") || !active && known.Installation != installation
	if !news {
		return nil
	}
	return s.AddRepositories(ctx, installation, []review.Repo{r})
}

func (s *Store) repository(ctx context.Context, id int64) (r Repository, active bool, err error) {
	row := s.read.QueryRowContext(ctx, `SELECT `+repositoryColumns+`, active FROM repositories WHERE id = $1`, id)
	var n int
	r, err = scanRepository(row, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return Repository{}, false, nil
	}
	if err != nil {
		return Repository{}, false, classify(fmt.Errorf("read repository %d: %w", id, err))
	}
	return r, n != 0, nil
}

// DropRepositories notes that the installation does not have the repositories
// any more.
func (s *Store) DropRepositories(ctx context.Context, installation int64, repos []review.Repo) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		for _, r := range repos {
			if _, err := tx.ExecContext(ctx, `UPDATE repositories SET active = 0 WHERE id = $1 AND installation_id = $2`, r.ID, installation); err != nil {
				return fmt.Errorf("note that repository %s is gone: %w", r, err)
			}
			if err := forgetSchedules(ctx, tx, installation, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Repositories lists the repositories that are known and may be worked on, by
// their names.
func (s *Store) Repositories(ctx context.Context) ([]Repository, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+repositoryColumns+` FROM repositories
		WHERE active = 1 AND NOT EXISTS (SELECT 1 FROM installations WHERE installations.id = installation_id AND status <> $1)
		ORDER BY owner, name, id`, string(InstallationActive))
	if err != nil {
		return nil, classify(fmt.Errorf("list repositories: %w", err))
	}
	defer rows.Close()
	var list []Repository
	for rows.Next() {
		r, err := scanRepository(rows)
		if err != nil {
			return nil, fmt.Errorf("list repositories: %w", err)
		}
		list = append(list, r)
	}
	return list, classify(rows.Err())
}

const repositoryColumns = `id, installation_id, owner, name, default_branch, private`

func scanRepository(row interface{ Scan(...any) error }, extra ...any) (Repository, error) {
	var r Repository
	var private int
	err := row.Scan(append([]any{&r.ID, &r.Installation, &r.Owner, &r.Name, &r.DefaultBranch, &private}, extra...)...)
	r.Private = private != 0
	return r, err
}
