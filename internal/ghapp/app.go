// Package ghapp speaks to GitHub as an installed GitHub App: tokens, pull
// requests, file contents, check runs and comments, in the nouns of package
// review.
//
// It is the one place that knows GitHub's manners: tokens narrowed to one
// repository and to the permissions a job needs, credentials that never leave
// the API's host, errors classified with package fault, writes read back before
// they are tried again, one paced writer for each installation, reads that
// cost nothing when nothing has changed. Outages, retries and rate limits it
// leaves to package guard, which every call goes through, remembering to
// package cache. What to write and when it leaves to reports and pipeline;
// webhooks are the business of package webhook.
package ghapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"assay/internal/cache"
	"assay/internal/fault"
	"assay/internal/guard"
	"assay/review"
)

const (
	defaultAPIURL = "https://api.github.com/"
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
	// WriteInterval is kept between requests of one installation that create
	// content; 0 is one second.
	WriteInterval time.Duration
	// WritesPerMinute and WritesPerHour bound those requests; 0 is what GitHub
	// allows, 80 and 500, negative is no bound.
	WritesPerMinute, WritesPerHour int
	// CallTimeout bounds one request with its answer; 0 is 20 seconds.
	CallTimeout time.Duration
	// Guards has the dependencies that all calls go through, RESTDependency,
	// TokenDependency and GraphQLDependency; nil is a set of its own with
	// guard's defaults.
	Guards *guard.Set
	// Caches bounds what is remembered. The caches are added to CacheSet, for
	// whoever shows them; nil is nowhere.
	Caches   CacheConfig
	CacheSet *cache.Set
}

// Names of the dependencies: GitHub's REST API, the part of it that makes
// tokens, and its GraphQL API. Each fails on its own, and has limits of its own.
const (
	RESTDependency    = "github"
	TokenDependency   = "github_token"
	GraphQLDependency = "github_graphql"
)

// App is a GitHub App. It is safe for concurrent use.
type App struct {
	id          int64
	api         *url.URL
	log         *slog.Logger
	callTimeout time.Duration
	// rest, minting and graph guard the calls; their keys are limitKey's.
	rest, minting, graph *guard.Dependency

	base http.RoundTripper
	// direct is base without following redirects; transport carries what goes
	// to other hosts, without a credential.
	direct, transport http.RoundTripper

	clock         *clock
	signer        *signer
	caches        caches
	tokens        *tokens
	installations *installations
	// settling is waited for GitHub to catch up with itself, and doubles.
	settling time.Duration
	slug     atomic.Pointer[string]
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
	a := &App{id: cfg.AppID, api: api, log: cfg.Logger, callTimeout: cmp.Or(cfg.CallTimeout, defaultCallTimeout), settling: settling}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if err := a.guard(cfg.Guards); err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	transport := cfg.Transport
	if transport == nil {
		transport = NewTransport()
	}
	a.clock = &clock{now: time.Now, log: a.log}
	a.signer = &signer{key: key, now: a.clock.github}
	a.transport = transport
	a.direct = &pinned{next: transport, api: api, clock: a.clock, bound: maxAnswer}
	a.base = &redirects{next: a.direct}
	if a.caches, err = newCaches(cfg.Caches, a.loadTimeout(), cfg.CacheSet); err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	a.tokens = &tokens{app: a, cache: a.caches.tokens}
	a.installations = newInstallations(pace{
		interval:  cmp.Or(cfg.WriteInterval, defaultWriteInterval),
		perMinute: cmp.Or(cfg.WritesPerMinute, defaultWritesPerMinute),
		perHour:   cmp.Or(cfg.WritesPerHour, defaultWritesPerHour),
	}, time.Now)
	return a, nil
}

func (a *App) guard(set *guard.Set) (err error) {
	if set == nil {
		set = guard.NewSet(nil)
	}
	if a.rest, err = set.Get(RESTDependency); err != nil {
		return err
	}
	if a.minting, err = set.Get(TokenDependency); err != nil {
		return err
	}
	a.graph, err = set.Get(GraphQLDependency)
	return err
}

// loadTimeout bounds the loads of caches, which go through the guards: their
// attempts, and the waits for places and retries between them.
func (a *App) loadTimeout() time.Duration { return 3*a.callTimeout + time.Minute }

// limitKey is what GitHub counts rate limits by, as the guards' key.
func limitKey(installation int64) string {
	return installationKey + strconv.FormatInt(installation, 10)
}

// limitedInstallation is the installation that a key is of.
func limitedInstallation(key string) (id int64, ok bool) {
	number, ok := strings.CutPrefix(key, installationKey)
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil
}

const (
	installationKey = "installation/"
	// appKey is the key of what is asked as the app itself.
	appKey = "app"
)

// Repository is the app's hands on one repository. It is cheap and asks
// nothing of GitHub: the token is made when it is first needed. Values that
// agree in installation, repository and permissions share it.
func (a *App) Repository(installation int64, repo review.Repo, p Permissions) *Repository {
	key := tokenKey{installation: installation, repoID: repo.ID, permissions: p}
	if repo.ID == 0 {
		key.repoName = repo.String()
	}
	client := a.client(&authorized{tokens: a.tokens, key: key, next: a.base})
	return &Repository{app: a, key: key, repo: repo, gh: client, via: a.rest}
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
	err := a.asApp(ctx, func(ctx context.Context, gh *github.Client) (err error) {
		id, err = identity(ctx, gh)
		return err
	})
	if err != nil {
		return Identity{}, fmt.Errorf("ask GitHub who app %d is: %w", a.id, err)
	}
	a.slug.Store(&id.Slug)
	return id, nil
}

// asApp makes a request that may be made again, signed as the app itself.
func (a *App) asApp(ctx context.Context, request func(context.Context, *github.Client) error) error {
	call := guard.Call{Key: appKey, Idempotent: true, Deadline: a.callTimeout}
	_, err := guard.Do(ctx, a.rest, call, func(attempt context.Context) (struct{}, error) {
		return struct{}{}, a.clock.corrected(func() error {
			transport, err := a.appsTransport()
			if err != nil {
				return err
			}
			return classifyCall(ctx, request(attempt, a.client(transport)))
		})
	})
	return err
}

func identity(ctx context.Context, gh *github.Client) (Identity, error) {
	app, _, err := gh.Apps.Get(ctx, "")
	if err != nil {
		return Identity{}, err
	}
	if app.GetID() == 0 || app.GetSlug() == "" {
		return Identity{}, incomplete("an app without ID or slug")
	}
	return Identity{ID: app.GetID(), Slug: app.GetSlug(), Name: app.GetName(), Events: app.Events}, nil
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
