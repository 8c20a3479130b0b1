package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"assay/internal/cache"
	"assay/internal/fault"
	"assay/internal/guard"
)

// renewEarly is how long before its end a token is no longer handed out, so
// that a call does not outlive it. Tokens live an hour.
const renewEarly = 5 * time.Minute

// tokenKey says what a token is good for. A token is never lent to a job that
// asked for less.
type tokenKey struct {
	installation int64
	repoID       int64
	repoName     string // "owner/name", when the ID is not known
	permissions  Permissions
}

type token struct {
	secret string
	until  time.Time // when it is no longer handed out, by our clock
}

// tokens makes installation tokens and keeps them until shortly before their
// end. ghinstallation's own cache is not used: its waiters hang on a mutex
// beyond their deadlines.
type tokens struct {
	app   *App
	cache *cache.Cache[tokenKey, token]
}

// get returns a token that is good for a while. Callers who want the same
// token wait for one request together, each no longer than its own context.
func (t *tokens) get(ctx context.Context, key tokenKey) (string, error) {
	tok, err := t.cache.Get(ctx, key, func(ctx context.Context) (token, error) { return t.mint(ctx, key) })
	if ctx.Err() != nil && err != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("get a token for installation %d: %w", key.installation, err)
	}
	return tok.secret, nil
}

// drop forgets a token that GitHub refused, unless it was replaced meanwhile.
func (t *tokens) drop(key tokenKey, secret string) {
	t.cache.ForgetIf(key, func(tok token) bool { return tok.secret == secret })
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
	call := guard.Call{Key: limitKey(key.installation), Idempotent: true, Deadline: t.app.callTimeout}
	return guard.Do(ctx, t.app.minting, call, func(attempt context.Context) (tok token, err error) {
		err = t.app.clock.corrected(func() error {
			tok, err = t.request(attempt, key.installation, options)
			return classifyMint(classifyCall(ctx, err), key.permissions)
		})
		return tok, err
	})
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
	return token{secret: secret, until: time.Now().Add(left - min(renewEarly, left/10))}, nil
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
		t.tokens.app.installations.note(t.key.installation, rateOfOutcome(resp, err, time.Now()))
		if !first || !hasStatus(err, http.StatusUnauthorized) {
			return resp, err
		}
		t.tokens.drop(t.key, secret)
		if req, err = rewound(req); err != nil {
			return nil, err
		}
	}
}
