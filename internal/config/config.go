// Package config reads the environment: it is the only package that does, so
// that every setting of the operator has one name, one meaning and one place
// where it is described (variables.go, of which docs/environment.md is made).
//
// Pipelines, agents and gates are no settings of the service: those belong to
// strategy. The operator's file has both; what it says of the service is read
// here, under what the environment says. What to do with a setting is left to
// internal/app.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"assay/internal/secret"
)

// Config is everything that the operator sets, checked and with defaults in
// place. It is a plain value; nothing changes it after Load.
type Config struct {
	// File is the operator's file.
	File       File
	App        App
	GitHub     GitHub
	Server     Server
	Storage    Storage
	Work       Work
	Models     Models
	Advisories Advisories
	Breakers   Breakers
	Caches     Caches
	Log        Log
	Traces     Traces
}

// Advisories says where known vulnerabilities of packages are looked up; with
// neither they are not.
type Advisories struct {
	// API says that OSV's API is asked. It is told the names and versions of
	// packages that changes bring in.
	API bool
	// Dir is the directory of a copy of OSV's database.
	Dir string
}

// App is the GitHub App that Assay acts as. Its fields are empty where they are
// not set; commands that need them ask RequireApp.
type App struct {
	ID int64
	// PrivateKey is an RSA key as a PEM block, however it was given.
	PrivateKey secret.Secret
	// WebhookSecrets are all accepted; more than one during a rotation.
	WebhookSecrets []secret.Secret
}

// GitHub says where GitHub is.
type GitHub struct {
	// URL is where people read it, without a slash at its end.
	URL string
	// APIURL is the REST API's base, with a slash at its end as go-github
	// wants it.
	APIURL string
	// WriteInterval is kept between requests that create content.
	WriteInterval time.Duration
	// WritesPerMinute and WritesPerHour bound those requests; 0 for no bound.
	WritesPerMinute, WritesPerHour int
}

// Server is the HTTP side.
type Server struct {
	// Host is empty for all interfaces.
	Host string
	// Port is 0 for any free port.
	Port int
	// PublicURL is where people and GitHub reach this service, without a slash
	// at its end. It is made of Port when not set, and Local is then true.
	PublicURL string
	// Local says that PublicURL leads nowhere but to this machine.
	Local bool
	// AdminToken opens the operator's routes; not set, they answer loopback
	// alone, and nobody where Local is false.
	AdminToken secret.Secret
	// SARIFSecret makes the keys that uploads of results are signed with; not
	// set, none are taken.
	SARIFSecret secret.Secret
}

// Addr is the address to listen on.
func (s Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Storage says where things are kept.
type Storage struct {
	DataDir  string
	Database Database
}

// Work says what this process does, and how much of it.
type Work struct {
	// Accept takes deliveries, Run works on them; at least one is true.
	Accept, Run bool
	// Workers is the number of runs at a time.
	Workers int
	// ShutdownTimeout is how long a stop waits for work to hand itself back.
	ShutdownTimeout time.Duration
	// ReconcileInterval is the time between two looks for what webhooks did
	// not bring; 0 is never.
	ReconcileInterval time.Duration
	// ScheduleInterval is the time between two looks at what schedules are
	// due; 0 is never.
	ScheduleInterval time.Duration
	// CrashAt is a point at which the process kills itself, for tests of what
	// a crash leaves behind; empty for never.
	CrashAt string
}

// Log says what is logged and how.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the form of log lines.
type LogFormat string

// The forms.
const (
	JSON LogFormat = "json"
	Text LogFormat = "text"
)

// Traces says where traces go.
type Traces struct {
	// URL takes them over OTLP/HTTP; empty for no traces.
	URL string
	// Headers are sent along; their values are credentials.
	Headers map[string]secret.Secret
	// Service is the name that the traces are filed under.
	Service string
}

// Lookup finds a variable of the environment; os.LookupEnv is one.
type Lookup func(name string) (value string, ok bool)

// Load reads every variable, and the operator's file under them, and checks
// all. The error joins all problems there are, each naming its variable or its
// place in the file and the way out, and never a secret's value.
func Load(env Lookup) (Config, error) {
	var c Config
	file, err := readOperators(env)
	problems := []error{err, file.unused(), c.addEndpoints(file, env)}
	under := file.under(env)
	for _, v := range variables {
		text, source, err := v.find(under)
		if err == nil {
			err = v.check(&c, text, file.source(env, v.Name, source))
		}
		problems = append(problems, err)
	}
	c.File = file
	problems = append(problems, c.Models.addAliases(file))
	if err := errors.Join(problems...); err != nil {
		return Config{}, err
	}
	c.derive()
	return c, nil
}

// derive fills what follows from other settings.
func (c *Config) derive() {
	switch {
	case c.GitHub.URL == "" && c.GitHub.APIURL == "":
		c.GitHub.URL, c.GitHub.APIURL = publicGitHub, publicAPI
	case c.GitHub.URL == "":
		c.GitHub.URL = webOf(c.GitHub.APIURL)
	case c.GitHub.APIURL == "":
		c.GitHub.APIURL = apiOf(c.GitHub.URL)
	}
	c.Models.derive()
	for _, b := range c.Breakers.all() {
		if b.MaxResetTimeout == 0 {
			b.MaxResetTimeout = max(defaultMaxReset, b.ResetTimeout)
		}
	}
	if c.Server.PublicURL == "" {
		c.Server.PublicURL = "http://localhost:" + strconv.Itoa(c.Server.Port)
	}
	c.Server.Local = isLocal(c.Server.PublicURL)
	if c.Storage.Database.Kind == "" {
		c.Storage.Database = Database{Kind: SQLite, Path: filepath.Join(c.Storage.DataDir, "assay.db")}
	}
}

// RequireApp returns what the service misses to act as a GitHub App: all of it
// at once, each with the way to get it. Commands that work without GitHub do
// not ask.
func (c Config) RequireApp() error {
	var missing []error
	need := func(set bool, name, way string) {
		if !set {
			missing = append(missing, fmt.Errorf("%s is not set: %s", name, way))
		}
	}
	need(c.App.ID != 0, "GITHUB_APP_ID", "it is the App ID at the top of the app's settings page on "+c.GitHub.URL)
	need(!c.App.PrivateKey.IsZero(), "GITHUB_APP_PRIVATE_KEY (or GITHUB_APP_PRIVATE_KEY_PATH)",
		"make one under \"Private keys\" on the app's settings page")
	need(len(c.App.WebhookSecrets) > 0, "GITHUB_WEBHOOK_SECRET",
		"make one with `openssl rand -hex 32` and set the same on the app's settings page; without it anybody could send deliveries")
	return errors.Join(missing...)
}
