package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"assay/internal/store"
)

// openDriver makes River's driver over the store's own connections. On
// PostgreSQL it adds a small pool that listens for new jobs, which database/sql
// cannot.
func openDriver(ctx context.Context, st *store.Store) (riverdriver.Driver[*sql.Tx], func(), error) {
	if st.Dialect() == store.SQLite {
		return riversqlite.New(st.DB()), func() {}, nil
	}
	conf, err := pgxpool.ParseConfig(st.DSN())
	if err != nil {
		return nil, nil, errors.New("DATABASE_URL is not a valid postgres:// URL")
	}
	conf.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for jobs: %w", err)
	}
	return riverdatabasesql.NewWithPgxListener(st.DB(), pool), pool.Close, nil
}
