// Package store keeps what Assay must not forget: deliveries, the pull requests
// they are about, runs with their results, and the leases by which one worker
// at a time acts. It knows SQL and nothing of what is done with the rows.
//
// The same queries run on SQLite and on PostgreSQL; one conformance suite holds
// both to the same behaviour. Times are stored in microseconds since 1970.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"assay/internal/fault"
)

// Dialect is a database that Assay runs on.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// ErrInUse is returned by Open when another process owns the SQLite file.
var ErrInUse = errors.New("the database is in use by another assay process")

// Config says where the database is.
type Config struct {
	// URL is "postgres://…", "sqlite:PATH", or a bare path of an SQLite file.
	URL string
	// Shared opens an SQLite file that a running service may own, to look at
	// it or to add a job. Only the owner releases the work of a dead process.
	Shared bool
	// Now is the clock; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	dialect Dialect
	write   *sql.DB
	read    *sql.DB
	dsn     string
	lock    *flock.Flock
	now     func() time.Time
	log     *slog.Logger
}

// sqlitePragmas: WAL with synchronous FULL, since a delivery is answered 2xx
// only once it is on the disk; immediate transactions, since a deferred
// read-then-write fails with BUSY whatever the timeout.
const sqlitePragmas = "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)" +
	"&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)&_txlock=immediate"

// Open opens the database, creating an SQLite file and its directory where
// needed, and brings its schema up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{now: cfg.Now, log: cfg.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if strings.HasPrefix(cfg.URL, "postgres://") || strings.HasPrefix(cfg.URL, "postgresql://") {
		err = s.openPostgres(ctx, cfg.URL)
	} else {
		err = s.openSQLite(ctx, strings.TrimPrefix(cfg.URL, "sqlite:"), cfg.Shared)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openSQLite(ctx context.Context, path string, shared bool) error {
	if path == "" {
		return errors.New("open database: the path of the SQLite file is empty")
	}
	s.dialect, s.dsn = SQLite, path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if !shared {
		s.lock = flock.New(path + ".lock")
		ok, err := s.lock.TryLock()
		if err != nil {
			return fmt.Errorf("lock database: %w", err)
		}
		if !ok {
			s.lock = nil
			return fmt.Errorf("open %s: %w: stop it, or give this one a DATA_DIR of its own", path, ErrInUse)
		}
	}
	uri := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqlitePragmas
	var err error
	if s.write, err = sql.Open("sqlite", uri); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	if err := s.write.PingContext(ctx); err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	// The file holds code and findings of private repositories.
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if s.read, err = sql.Open("sqlite", uri+"&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.read.SetMaxOpenConns(max(2, runtime.NumCPU()))
	return nil
}

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.dialect, s.dsn = Postgres, dsn
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The error of pgx repeats the URL, and with it the password.
		return errors.New("DATABASE_URL is not a valid postgres:// URL")
	}
	s.write = stdlib.OpenDB(*conf)
	s.write.SetMaxOpenConns(20)
	s.write.SetMaxIdleConns(20)
	s.read = s.write
	if err := s.write.PingContext(ctx); err != nil {
		return fmt.Errorf("connect to PostgreSQL at %s: %w", conf.Host, err)
	}
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil && s.read != s.write {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Unlock())
	}
	return errors.Join(errs...)
}

// Dialect says which database this is.
func (s *Store) Dialect() Dialect { return s.dialect }

// DB is the pool that writes go through; on SQLite it has one connection, so
// nothing may ask it for another while it holds a transaction.
func (s *Store) DB() *sql.DB { return s.write }

// DSN is the URL or path the store was opened with.
func (s *Store) DSN() string { return s.dsn }

// Ping commits an empty write, so that a full or read-only disk shows.
func (s *Store) Ping(ctx context.Context) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO nodes (id, seen) VALUES ('ping', $1) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`, s.micros())
		return err
	})
}

// maxTries bounds how often a transaction that lost a race is tried again.
const maxTries = 4

// Write runs fn in a transaction and commits it. A transaction that lost
// against another (deadlock, serialization) is tried again, so fn must have no
// effects of its own.
func (s *Store) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := s.writeOnce(ctx, fn)
		if err == nil || try == maxTries || !lostRace(err) {
			return classify(err)
		}
	}
}

func (s *Store) writeOnce(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreTxDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

func ignoreTxDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func lostRace(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40P01" || pg.Code == "40001"
	}
	return false
}

// classify makes errors of a database that is busy, full or away Transient:
// the work is not at fault.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
			return fault.New(fault.Transient, err)
		}
	}
	if lostRace(err) {
		return fault.New(fault.Transient, err)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fault.New(fault.Transient, err)
	}
	return err
}

func (s *Store) micros() int64 { return s.now().UnixMicro() }

func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
