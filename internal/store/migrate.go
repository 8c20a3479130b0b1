package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations
var migrations embed.FS

// advisoryLock keeps two nodes from migrating one PostgreSQL at a time: River's
// own migrator does not, and loses the race with an error.
const advisoryLock = 0x61737361 // "assa"

// migrate brings our tables and River's up to date.
func (s *Store) migrate(ctx context.Context) error {
	if s.dialect == Postgres {
		conn, err := s.write.Conn(ctx)
		if err != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		// Closing the connection's session would release the lock as well.
		defer func() {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, advisoryLock)
			_ = conn.Close()
		}()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, advisoryLock); err != nil {
			return fmt.Errorf("migrate database: wait for other nodes: %w", err)
		}
	}
	if err := s.migrateOurs(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if err := s.migrateRiver(ctx); err != nil {
		return fmt.Errorf("migrate queue: %w", err)
	}
	return nil
}

func (s *Store) migrateOurs(ctx context.Context) error {
	dialect := goose.DialectSQLite3
	if s.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	dir, err := fs.Sub(migrations, "migrations/"+string(s.dialect))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, s.write, dir)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func (s *Store) migrateRiver(ctx context.Context) error {
	migrator, err := rivermigrate.New(s.riverDriver(), &rivermigrate.Config{Logger: s.log})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (s *Store) riverDriver() riverdriver.Driver[*sql.Tx] {
	if s.dialect == Postgres {
		return riverdatabasesql.New(s.write)
	}
	return riversqlite.New(s.write)
}
