// Package ghapp speaks to GitHub as an installed GitHub App: tokens, pull
// requests, file contents, check runs and comments, in the nouns of package
// review.
//
// It is the one place that knows GitHub's manners: tokens narrowed to one
// repository and to the permissions a job needs, credentials that never leave
// the API's host, errors classified with package fault, reads retried, writes
// read back before they are tried again, one paced writer for each
// installation. What to write and when it leaves to reports and pipeline;
// webhooks are the business of package webhook.
package ghapp

import (
	"assay/internal/fault"
	"assay/review"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"
)

const (
	defaultAPIURL = "https://api.github.com/"
	// GitHub asks for a second between requests that create content
	// (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
	defaultWriteInterval = time.Second
	// GitHub itself gives up on a request after 10 s; the rest is for the network.
	defaultCallTimeout = 20 * time.Second
	userAgent          = "assay"
)

// Config is what an App is made of. AppID and PrivateKey are required.
type Config struct {
	AppID int64
	// PrivateKey is the app's RSA key in PEM, PKCS#1 or PKCS#8.
	PrivateKey []byte
	// APIURL is the root of the REST API, with or without a final slash: empty
	// for github.com, "https://ghe.example/api/v3" for an own server.
	APIURL string
	// Transport carries the requests; nil is a transport of its own with
	// timeouts.
	Transport http.RoundTripper
	// Logger is told of what heals itself, such as a wrong clock; nil is silent.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// WriteInterval is kept between requests of one installation that create
	// content; 0 is one second.
	WriteInterval time.Duration
	// CallTimeout bounds one request with its answer; 0 is 20 seconds.
	CallTimeout time.Duration
}

// App is a GitHub App. It is safe for concurrent use.
type App struct {
	id          int64
	api         *url.URL
	log         *slog.Logger
	now         func() time.Time
	callTimeout time.Duration

	base          http.RoundTripper
	clock         *clock
	signer        *signer
	tokens        *tokens
	installations *installations
	retry         backoff
	slug          atomic.Pointer[string]
}

// New checks cfg and makes the App. It does not speak to GitHub; App.App does.
func New(cfg Config) (*App, error) {
	if cfg.AppID <= 0 {
		return nil, fault.New(fault.Invalid, fmt.Errorf("app ID is %d, want the number GitHub shows on the app's settings page", cfg.AppID))
	}
	key, err := parseKey(cfg.PrivateKey)
	if err != nil {
		return nil, fault.New(fault.Invalid, fmt.Errorf("private key of app %d: %w", cfg.AppID, err))
	}
	api, err := parseAPIURL(cfg.APIURL)
	if err != nil {
		return nil, fault.New(fault.Invalid, fmt.Errorf("API URL: %w", err))
	}
	if cfg.WriteInterval < 0 || cfg.CallTimeout < 0 {
		return nil, fault.New(fault.Invalid, errors.New("WriteInterval and CallTimeout may not be negative"))
	}
	a := &App{id: cfg.AppID, api: api, log: cfg.Logger, now: cfg.Now, callTimeout: cfg.CallTimeout}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.callTimeout == 0 {
		a.callTimeout = defaultCallTimeout
	}
	interval := cfg.WriteInterval
	if interval == 0 {
		interval = defaultWriteInterval
	}
	transport := cfg.Transport
	if transport == nil {
		transport = newTransport()
	}
	a.clock = &clock{now: a.now, log: a.log}
	a.signer = &signer{key: key, now: a.clock.github}
	a.base = &redirects{next: &pinned{next: transport, api: api, clock: a.clock, bound: maxAnswer}}
	a.tokens = newTokens(a)
	a.installations = newInstallations(interval, a.now)
	a.retry = backoff{base: retryBase, limit: retryCap, now: a.now, random: rand.Float64}
	return a, nil
}

// Repository is the app's hands on one repository. It is cheap and asks
// nothing of GitHub: the token is made when it is first needed. Values that
// agree in installation, repository and permissions share it.
func (a *App) Repository(installation int64, repo review.Repo, p Permissions) *Repository {
	key := tokenKey{installation: installation, repoID: repo.ID, permissions: p}
	if repo.ID == 0 {
		key.repoName = repo.String()
	}
	client := a.client(&authorized{tokens: a.tokens, key: key, next: a.base})
	return &Repository{app: a, installation: installation, repo: repo, gh: client}
}

// Identity is what GitHub says of the app.
type Identity struct {
	ID   int64
	Slug string
	Name string
	// Events are the webhook events the app is subscribed to.
	Events []string
}

// App asks GitHub who the app is, which proves that the ID and the key belong
// together.
func (a *App) App(ctx context.Context) (Identity, error) {
	var id Identity
	err := a.retry.try(ctx, func(ctx context.Context) error {
		return a.clock.corrected(func() error {
			callCtx, cancel := context.WithTimeout(ctx, a.callTimeout)
			defer cancel()
			transport, err := a.appsTransport()
			if err != nil {
				return err
			}
			app, _, err := a.client(transport).Apps.Get(callCtx, "")
			if err != nil {
				return classifyCall(ctx, err)
			}
			if app.GetID() == 0 || app.GetSlug() == "" {
				return incomplete("an app without ID or slug")
			}
			id = Identity{ID: app.GetID(), Slug: app.GetSlug(), Name: app.GetName(), Events: app.Events}
			return nil
		})
	})
	if err != nil {
		return Identity{}, fmt.Errorf("ask GitHub who app %d is: %w", a.id, err)
	}
	a.slug.Store(&id.Slug)
	return id, nil
}

// ClockSkew is how far GitHub's clock was ahead of ours at the last answer;
// negative when ours is ahead. Up to a second of it is GitHub's rounding.
func (a *App) ClockSkew() time.Duration { return a.clock.skew() }

// login is the login that the app's own comments carry.
func (a *App) login(ctx context.Context) (string, error) {
	if s := a.slug.Load(); s != nil {
		return *s + "[bot]", nil
	}
	id, err := a.App(ctx)
	return id.Slug + "[bot]", err
}

// appsTransport signs requests as the app. ghinstallation writes to the value
// while it works, so it is made anew for each use and never shared.
func (a *App) appsTransport() (*ghinstallation.AppsTransport, error) {
	t, err := ghinstallation.NewAppsTransportWithOptions(a.base, a.id, ghinstallation.WithSigner(a.signer))
	if err != nil {
		return nil, err
	}
	t.BaseURL = a.api.String()
	return t, nil
}

func (a *App) client(transport http.RoundTripper) *github.Client {
	c := github.NewClient(&http.Client{
		Transport: transport,
		// Redirects are followed below the authentication, method and body kept.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	c.BaseURL = a.api
	c.UserAgent = userAgent
	return c
}

func parseAPIURL(raw string) (*url.URL, error) {
	if raw == "" {
		raw = defaultAPIURL
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("it does not parse")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, fmt.Errorf("it is not an http(s) URL; use one like %s or https://ghe.example/api/v3", defaultAPIURL)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("it may hold no user, query or fragment")
	}
	// go-github resolves paths against it, which drops all after the last slash.
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	return u, nil
}
