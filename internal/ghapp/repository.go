package ghapp

import (
	"context"
	"fmt"
	"net/url"
	"regexp"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/internal/guard"
	"assay/review"
)

// Repository is the app's hands on one repository, with one set of
// permissions. It is safe for concurrent use.
//
// Its errors are classified with package fault, except a caller's cancelled
// context, which is returned as it is. None of them holds a credential.
type Repository struct {
	app  *App
	key  tokenKey
	repo review.Repo
	gh   *github.Client
	// via guards the calls: the part of GitHub that they are made to.
	via *guard.Dependency
}

var (
	repoPart = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	shaForm  = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// check refuses names that would lead a request's path astray.
func (r *Repository) check() error {
	for _, part := range []string{r.repo.Owner, r.repo.Name} {
		if !repoPart.MatchString(part) || part == "." || part == ".." {
			return fault.New(fault.Invalid, fmt.Errorf("%q is not a repository", r.repo))
		}
	}
	return nil
}

func checkSHA(sha string) error {
	if !shaForm.MatchString(sha) {
		return fault.New(fault.Invalid, fmt.Errorf("%q is not the SHA of a commit", sha))
	}
	return nil
}

// call makes a request through the guard. The token is there before it begins:
// making one is another dependency's business and time.
func (r *Repository) call(ctx context.Context, idempotent bool, request func(context.Context) error) error {
	if err := r.check(); err != nil {
		return err
	}
	call := guard.Call{Key: limitKey(r.key.installation), Idempotent: idempotent, Deadline: r.app.callTimeout}
	if err := r.via.Check(call.Key); err != nil {
		return err // no token is worth making for it
	}
	if _, err := r.app.tokens.get(ctx, r.key); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &tokenError{err}
	}
	_, err := guard.Do(ctx, r.via, call, func(attempt context.Context) (struct{}, error) {
		return struct{}{}, classifyCall(ctx, request(attempt))
	})
	return err
}

// read makes a request that changes nothing, and retries it.
func (r *Repository) read(ctx context.Context, request func(context.Context) error) error {
	return r.call(ctx, true, request)
}

// write makes a request that changes something, once, when it is its turn.
// creates says that it creates content people are told of.
func (r *Repository) write(ctx context.Context, creates bool, request func(context.Context) error) error {
	// Asked before queueing too, so that nobody waits for a turn to be refused.
	if err := r.via.Check(limitKey(r.key.installation)); err != nil {
		return err
	}
	in, done := r.app.installations.use(r.key.installation)
	defer done()
	end, err := in.writer.begin(ctx, creates)
	if err != nil {
		return err
	}
	defer end()
	return r.call(ctx, false, request)
}

// put makes a request that has the same effect however often it is made, and
// retries it. Others have their turn in between.
func (r *Repository) put(ctx context.Context, request func(context.Context) error) error {
	return r.repeat(ctx, false, request)
}

// repeat is put, for requests too that create content people are told of.
func (r *Repository) repeat(ctx context.Context, creates bool, request func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := r.write(ctx, creates, request)
		if err == nil || is[*tokenError](err) {
			return err
		}
		if giveUp := r.via.Again(ctx, attempt, err); giveUp != nil {
			return giveUp
		}
	}
}

// create makes a request that must not be made twice. When its outcome is not
// known, find looks whether it was done before it is tried again.
func (r *Repository) create(ctx context.Context, creates bool, post func(context.Context) error, find func(context.Context) (bool, error)) error {
	for attempt := 1; ; attempt++ {
		err := r.write(ctx, creates, post)
		if err == nil || is[*tokenError](err) { // the latter was never sent
			return err
		}
		giveUp := r.via.Again(ctx, attempt, err)
		if giveUp != nil && (fault.KindOf(giveUp) != fault.Transient || !fault.RetryAt(giveUp).IsZero()) {
			return giveUp
		}
		found, findErr := find(ctx)
		switch {
		case findErr != nil:
			return unknown(err, findErr)
		case found:
			return nil
		case giveUp != nil:
			return giveUp
		}
	}
}

// unknown is the error of a write that may have been done or not, which could
// not be found out. What kept it from being found out says when to come back.
func unknown(err, findErr error) error {
	return fmt.Errorf("%w, and it is not known whether this was done: %w", findErr, err)
}

// path is the path of something in the repository, relative to the API's root.
func (r *Repository) path(format string, args ...any) string {
	return "repos/" + url.PathEscape(r.repo.Owner) + "/" + url.PathEscape(r.repo.Name) + "/" + fmt.Sprintf(format, args...)
}
