package config

import (
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"assay/internal/secret"
)

// DatabaseKind is a kind of database.
type DatabaseKind string

// The kinds.
const (
	SQLite   DatabaseKind = "sqlite"
	Postgres DatabaseKind = "postgres"
)

// Database is where deliveries, jobs and runs are kept.
type Database struct {
	Kind DatabaseKind
	// Path is the file of a SQLite database; empty otherwise.
	Path string
	// URL is that of a PostgreSQL database, password and all; not set
	// otherwise.
	URL secret.Secret
}

// parseDatabase never quotes text, which holds a password.
func parseDatabase(text string) (Database, error) {
	scheme, rest, found := strings.Cut(text, ":")
	switch {
	case !found:
		return Database{}, errors.New("has no scheme")
	case scheme == "sqlite":
		return parseSQLite(rest)
	case scheme == "postgres" || scheme == "postgresql":
		return parsePostgres(text)
	}
	return Database{}, errors.New("is of an unknown kind of database")
}

func parseSQLite(path string) (Database, error) {
	path = strings.TrimPrefix(path, "//")
	switch {
	case path == "":
		return Database{}, errors.New("names no file")
	case path == ":memory:":
		return Database{}, errors.New("would be kept in memory and lose accepted deliveries")
	case strings.ContainsAny(path, "?\x00"):
		return Database{}, errors.New("has options after the path, which Assay sets itself")
	}
	return Database{Kind: SQLite, Path: filepath.Clean(path)}, nil
}

func parsePostgres(text string) (Database, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		// The parser's own words quote the URL.
		return Database{}, errors.New("is not a URL (a password with special characters must be percent-encoded)")
	case u.Host == "" && u.Query().Get("host") == "":
		return Database{}, errors.New("names no host")
	case strings.Trim(u.Path, "/") == "" && u.Query().Get("dbname") == "":
		return Database{}, errors.New("names no database")
	}
	return Database{Kind: Postgres, URL: secret.New(text)}, nil
}
