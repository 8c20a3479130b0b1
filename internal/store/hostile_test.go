package store

import (
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"assay/internal/pgtest"
)

// TestPrivate holds that nobody else on the machine reads what the database and
// its journal hold, whatever the directory allows.
func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{URL: filepath.Join(dir, "assay.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"assay.db", "assay.db-wal", "assay.db-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has the mode %o", name, mode)
		}
	}
}

// TestUnknownSubject holds that of two transactions that look at a pull request
// nobody knows yet, the second sees what the first has made of it.
func TestUnknownSubject(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: pgtest.Start(t).Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var wg sync.WaitGroup
	var mu sync.Mutex
	unknown := 0
	for range 8 {
		wg.Go(func() {
			err := s.Write(t.Context(), func(tx *sql.Tx) error {
				_, known, err := s.SubjectTx(t.Context(), tx, 1, 2)
				if err != nil {
					return err
				}
				if !known {
					mu.Lock()
					unknown++
					mu.Unlock()
				}
				return s.MoveSubject(t.Context(), tx, Subject{RepoID: 1, Number: 2, HeadSHA: "aaa"})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if unknown != 1 {
		t.Errorf("%d transactions were the first, want 1", unknown)
	}
}
