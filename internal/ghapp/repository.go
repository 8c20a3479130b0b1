package ghapp

import (
	"assay/internal/fault"
	"assay/review"
	"context"
	"fmt"
	"net/url"
	"regexp"

	"github.com/google/go-github/v62/github"
)

// Repository is the app's hands on one repository, with one set of
// permissions. It is safe for concurrent use.
//
// Its errors are classified with package fault, except a caller's cancelled
// context, which is returned as it is. None of them holds a credential.
type Repository struct {
	app          *App
	installation int64
	repo         review.Repo
	gh           *github.Client
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

// call makes one request, bounded by the call timeout, unless the
// installation is rate limited.
func (r *Repository) call(ctx context.Context, request func(context.Context) error) error {
	if err := r.check(); err != nil {
		return err
	}
	in, done := r.app.installations.use(r.installation)
	defer done()
	if err := in.limit.check(); err != nil {
		return err
	}
	callCtx, cancel := context.WithTimeout(ctx, r.app.callTimeout)
	defer cancel()
	return in.limit.note(classifyCall(ctx, request(callCtx)))
}

// read makes a request that changes nothing, and retries it.
func (r *Repository) read(ctx context.Context, request func(context.Context) error) error {
	return r.app.retry.try(ctx, func(ctx context.Context) error { return r.call(ctx, request) })
}

// write makes a request that changes something, once, when it is its turn.
// creates says that it creates content people are told of.
func (r *Repository) write(ctx context.Context, creates bool, request func(context.Context) error) error {
	in, done := r.app.installations.use(r.installation)
	defer done()
	// Asked before queueing too, so that nobody waits for a turn to be refused.
	if err := in.limit.check(); err != nil {
		return err
	}
	end, err := in.writer.begin(ctx, creates)
	if err != nil {
		return err
	}
	defer end()
	return r.call(ctx, request)
}

// put makes a request that has the same effect however often it is made, and
// retries it.
func (r *Repository) put(ctx context.Context, request func(context.Context) error) error {
	return r.app.retry.try(ctx, func(ctx context.Context) error { return r.write(ctx, false, request) })
}

// create makes a request that must not be made twice. When its outcome is not
// known, find looks whether it was done before it is tried again.
func (r *Repository) create(ctx context.Context, creates bool, post func(context.Context) error, find func(context.Context) (bool, error)) error {
	for attempt := 1; ; attempt++ {
		err := r.write(ctx, creates, post)
		if fault.KindOf(err) != fault.Transient || !r.app.retry.pause(ctx, attempt, fault.RetryAt(err)) {
			return err
		}
		if !is[*tokenError](err) { // else it was never sent
			found, findErr := find(ctx)
			switch {
			case findErr != nil:
				return fmt.Errorf("%w (and it is not known whether it was done: %w)", err, findErr)
			case found:
				return nil
			}
		}
		if attempt == maxAttempts {
			return err
		}
	}
}

// path is the path of something in the repository, relative to the API's root.
func (r *Repository) path(format string, args ...any) string {
	return "repos/" + url.PathEscape(r.repo.Owner) + "/" + url.PathEscape(r.repo.Name) + "/" + fmt.Sprintf(format, args...)
}
