package ghapp

import (
	"assay/internal/fault"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

const (
	// maxTokens bounds the tokens kept; one more mint is all an eviction costs.
	maxTokens = 4096
	// renewEarly is how long before its end a token is no longer handed out, so
	// that a call does not outlive it. Tokens live an hour.
	renewEarly = 5 * time.Minute
)

// tokenKey says what a token is good for. A token is never lent to a job that
// asked for less.
type tokenKey struct {
	installation int64
	repoID       int64
	repoName     string // "owner/name", when the ID is not known
	permissions  Permissions
}

func (k tokenKey) String() string {
	return fmt.Sprintf("%d/%d/%s/%d", k.installation, k.repoID, k.repoName, k.permissions)
}

type token struct {
	secret string
	until  time.Time
}

// tokens makes installation tokens and keeps them until shortly before their
// end. ghinstallation's own cache is not used: its waiters hang on a mutex
// beyond their deadlines.
type tokens struct {
	app    *App
	flight singleflight.Group

	mu    sync.Mutex // of writes to cache, so that drop compares and removes in one
	cache *lru.Cache[tokenKey, token]
}

func newTokens(a *App) *tokens {
	cache, err := lru.New[tokenKey, token](maxTokens)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &tokens{app: a, cache: cache}
}

// get returns a token that is good for a while. Callers who want the same
// token wait for one request together, each no longer than its own context.
func (t *tokens) get(ctx context.Context, key tokenKey) (string, error) {
	if tok, ok := t.cache.Get(key); ok && t.app.clock.github().Before(tok.until) {
		return tok.secret, nil
	}
	made := t.flight.DoChan(key.String(), func() (any, error) {
		// Detached: the first caller's leaving must not fail the others.
		mintCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.app.callTimeout)
		defer cancel()
		tok, err := t.mint(mintCtx, key)
		if err != nil {
			return "", err
		}
		t.keep(key, tok)
		return tok.secret, nil
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case res := <-made:
		if res.Err != nil {
			return "", fmt.Errorf("get a token for installation %d: %w", key.installation, res.Err)
		}
		secret, _ := res.Val.(string)
		return secret, nil
	}
}

func (t *tokens) keep(key tokenKey, tok token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cache.Add(key, tok)
}

// drop forgets a token that GitHub refused, unless it was replaced meanwhile.
func (t *tokens) drop(key tokenKey, secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tok, ok := t.cache.Peek(key); ok && tok.secret == secret {
		t.cache.Remove(key)
	}
}

// mint asks GitHub for a token.
func (t *tokens) mint(ctx context.Context, key tokenKey) (token, error) {
	options := &github.InstallationTokenOptions{Permissions: key.permissions.github()}
	switch {
	case key.repoID != 0:
		options.RepositoryIDs = []int64{key.repoID}
	case key.repoName != "": // else it is for the installation itself
		// Within an installation a repository goes by its bare name.
		_, name, _ := strings.Cut(key.repoName, "/")
		options.Repositories = []string{name}
	}
	var tok token
	err := t.app.clock.corrected(func() error {
		var err error
		tok, err = t.request(ctx, key.installation, options)
		return classifyMint(classifyCall(ctx, err), key.permissions)
	})
	return tok, err
}

// request makes one request for a token and distrusts the answer:
// ghinstallation panics on "null" and takes "{}" for a token.
func (t *tokens) request(ctx context.Context, installation int64, options *github.InstallationTokenOptions) (tok token, err error) {
	defer func() {
		if recover() != nil {
			tok, err = token{}, incomplete("no token")
		}
	}()
	apps, err := t.app.appsTransport()
	if err != nil {
		return token{}, err
	}
	transport := ghinstallation.NewFromAppsTransport(apps, installation)
	transport.InstallationTokenOptions = options
	secret, err := transport.Token(ctx)
	if err != nil {
		return token{}, err
	}
	expires, _, err := transport.Expiry()
	if err != nil {
		return token{}, err
	}
	left := expires.Sub(t.app.clock.github())
	if secret == "" || left <= 0 {
		return token{}, incomplete("an empty or expired token")
	}
	return token{secret: secret, until: expires.Add(-min(renewEarly, left/10))}, nil
}

// classifyMint knows what GitHub's refusals of a token mean.
func classifyMint(err error, asked Permissions) error {
	answer, ok := errors.AsType[*answerError](err)
	if !ok || answer.status != http.StatusUnprocessableEntity {
		return err
	}
	if strings.Contains(strings.ToLower(answer.message), "permission") {
		return fault.New(fault.Unauthorized, fmt.Errorf("the installation has not granted all of %q: %w", asked.String(), answer))
	}
	return fault.New(fault.Gone, fmt.Errorf("the repository is not part of the installation: %w", answer))
}

// tokenError marks a request that was not sent, for want of a token.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// authorized adds the installation's token to requests. A token that GitHub
// refuses is replaced once.
type authorized struct {
	tokens *tokens
	key    tokenKey
	next   http.RoundTripper
}

// RoundTrip sends req with a token.
func (t *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	for first := true; ; first = false {
		secret, err := t.tokens.get(req.Context(), t.key)
		if err != nil {
			closeBody(req)
			return nil, &tokenError{err}
		}
		again := req.Clone(req.Context())
		again.Header.Set("Authorization", "Bearer "+secret)
		resp, err := t.next.RoundTrip(again)
		if !first || !hasStatus(err, http.StatusUnauthorized) {
			return resp, err
		}
		t.tokens.drop(t.key, secret)
		if req, err = rewound(req); err != nil {
			return nil, err
		}
	}
}
