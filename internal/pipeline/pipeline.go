// Package pipeline joins the stages of a review: it decides what a delivery
// leads to, fetches the change, runs the agents, judges and publishes. It is
// the one place where webhook, strategy, agents and reports meet.
//
// Every step may be cut off by a crash and is then taken up again: what was
// shown on GitHub is found and updated, never shown twice. When that happens it
// leaves to internal/queue, how GitHub is reached to internal/ghapp.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"assay/internal/cache"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// GitHub gives access to repositories.
type GitHub interface {
	Repository(installation int64, repo review.Repo) Repository
}

// Repository is one repository on GitHub, reached with a token that is good for
// it alone.
type Repository interface {
	Source
	Checks
	Comments
	People
}

// Source reads a repository.
type Source interface {
	Pull(ctx context.Context, number int) (review.Pull, error)
	PullsForCommit(ctx context.Context, sha string) ([]review.Pull, error)
	// Change returns review.ErrHeadMoved when the head is no longer pull's. With
	// the number 0 it is that of the commits from BaseSHA to HeadSHA, and
	// without files where BaseSHA is empty.
	Change(ctx context.Context, pull review.Pull) (*review.Change, error)
	// BranchHead is the SHA of the branch's newest commit.
	BranchHead(ctx context.Context, branch string) (string, error)
	// File returns review.ErrNotExist when there is no such file.
	File(ctx context.Context, ref, path string) ([]byte, error)
}

// Checks writes check runs. Annotations are appended by each update.
type Checks interface {
	CreateCheck(ctx context.Context, check review.CheckRun) (int64, error)
	UpdateCheck(ctx context.Context, id int64, check review.CheckRun) error
	FindCheck(ctx context.Context, headSHA, name, externalID string) (id int64, found bool, err error)
	AnnotationCount(ctx context.Context, id int64) (int, error)
}

// Comments writes comments on pull requests. A comment that is gone is
// fault.Gone.
type Comments interface {
	CreateComment(ctx context.Context, number int, marker, body string) (int64, error)
	UpdateComment(ctx context.Context, id int64, body string) error
	FindComment(ctx context.Context, number int, marker string) (id int64, body string, found bool, err error)
}

// People is what commands in comments need.
type People interface {
	// Permission is what the user may do in the repository: "admin",
	// "maintain", "write", "triage", "read" or "none".
	Permission(ctx context.Context, login string) (string, error)
	// React puts a reaction on a comment: "eyes", "+1" or "confused". One that
	// is there already is no error.
	React(ctx context.Context, commentID int64, content string) error
}

// Queue moves deliveries and runs on.
type Queue interface {
	Open(ctx context.Context, o queue.Opening) ([]store.Run, error)
	Commit(ctx context.Context, d store.Delivery, runs []store.Run) error
	Close(ctx context.Context, d store.Delivery, sub store.Subject) (bool, error)
	Cancel(ctx context.Context, installation, repoID int64, reason string) error
	Finish(ctx context.Context, d store.Delivery, status store.DeliveryStatus, reason string) error
	// Working reports whether a job is at work on the run's lane.
	Working(ctx context.Context, r store.Run) (bool, error)
	Bury(ctx context.Context, deliveryID int64, cause, shown string) error
	Healing
}

// Healing moves runs on that are not whole and complete themselves.
type Healing interface {
	End(ctx context.Context, r store.Run, heal *store.Heal) (ok bool, err error)
	Await(ctx context.Context, r store.Run, heal store.Heal) error
	Healed(ctx context.Context, r review.Run, heal store.Heal) (next time.Time, ok bool, err error)
	PutOff(ctx context.Context, heal store.Heal) (next time.Time, err error)
	Forget(ctx context.Context, run string) error
	Recovered(ctx context.Context, dependency string)
}

// Config has what a pipeline is made of.
type Config struct {
	GitHub GitHub
	Store  *store.Store
	Queue  Queue
	Reviewer
	// Vocabulary is what configs may choose from; that of Reviewer if it names no
	// agents.
	Vocabulary strategy.Vocabulary
	// Operator is the operator's config file; nil for none. It has been found
	// good.
	Operator *strategy.Layer
	// OrgConfigTTL and OrgConfigSize bound how long organisations' configs are
	// kept and how many; zero values are a minute and 1,024.
	OrgConfigTTL  time.Duration
	OrgConfigSize int
	// Caches, if set, is given the caches of configs, for their statistics.
	Caches *cache.Set
	// AppID is this GitHub App's: check events of other apps are not ours.
	AppID int64
	// PublicURL is where this service is reached, GitHubURL where people read
	// GitHub; neither ends in a slash.
	PublicURL, GitHubURL string
	Version              string
	// ProgressEvery is how often a running check is updated; 5 s when 0.
	ProgressEvery time.Duration
	// Down, if set, reports until when a dependency is known to be out of
	// reach: what waits for it is not tried before.
	Down func(dependency string) (until time.Time, down bool)
	// OnRun, if set, is told of each run whose work has come to its end,
	// whatever became of it: once, or again after a crash. Its ctx is that of
	// the work.
	OnRun func(ctx context.Context, r review.Run)
	// Censor, if set, is given the words of errors before they are stored.
	Censor func(string) string
	// Crash is called at named points, so that a test can end the process
	// there; may be nil.
	Crash  func(point string)
	Logger *slog.Logger
	Now    func() time.Time
}

// Pipeline is the handler of the queue's jobs.
type Pipeline struct {
	Config
	layers *layers
}

var _ queue.Handler = (*Pipeline)(nil)

// New makes a pipeline.
func New(cfg Config) (*Pipeline, error) {
	if cfg.GitHub == nil || cfg.Store == nil || cfg.Queue == nil || cfg.Agents == nil || cfg.Runner == nil {
		return nil, errors.New("make pipeline: GitHub, Store, Queue, Agents and Runner are all required")
	}
	if cfg.ProgressEvery == 0 {
		cfg.ProgressEvery = 5 * time.Second
	}
	if cfg.Down == nil {
		cfg.Down = func(string) (time.Time, bool) { return time.Time{}, false }
	}
	if cfg.OnRun == nil {
		cfg.OnRun = func(context.Context, review.Run) {}
	}
	if cfg.Censor == nil {
		cfg.Censor = func(text string) string { return text }
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Vocabulary.Agents == nil {
		cfg.Vocabulary = cfg.Reviewer.Vocabulary()
	}
	layers, err := newLayers(cfg, cfg.Vocabulary)
	if err != nil {
		return nil, fmt.Errorf("make pipeline: %w", err)
	}
	return &Pipeline{Config: cfg, layers: layers}, nil
}

// runURL is the page of a run.
func (p *Pipeline) runURL(id string) string { return p.PublicURL + "/runs/" + id }
