// Package checkout makes a review.Change of a local git checkout: what a pull
// request of the current branch would hold, with what is not committed yet, so
// that findings are seen before anybody else sees them.
//
// The checkout is taken for hostile: somebody may be reading a stranger's
// branch, or an archive that came with a .git directory. Nothing is written to
// it, nothing is fetched, and git is run so that no program is started that
// configuration or attributes name: no hook, fsmonitor, external diff,
// textconv, filter, pager, credential or transport helper, of whichever scope.
// The price: a file that a clean filter would rewrite (Git LFS) cannot be
// compared when it is changed in the working tree, and says so in its Unread.
// The system's and the user's configuration are still read, since they hold
// safe.directory, core.autocrlf and the user's ignored files.
//
// What is done with the change is left to others.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"assay/internal/diff"
	"assay/internal/fault"
	"assay/review"
)

// Limits of a change. What is over one is said in File.Unread or
// Change.Truncated, never left out in silence.
const (
	// MaxFile is the largest file that is compared, and with diff.MaxPatch the
	// largest diff of one, in bytes.
	MaxFile = 8 << 20
	// MaxDiff is the largest diff that is kept, all files together, in bytes.
	MaxDiff = 64 << 20
	// MaxFiles is the most files a change holds, as on GitHub
	// (https://docs.github.com/rest/pulls/pulls#list-pull-requests-files).
	MaxFiles = 3000
	// MaxRead is the largest file that Contents reads, in bytes.
	MaxRead = 1 << 20
)

// limits are the constants above, as a value so that tests can lower them.
type limits struct{ file, patch, diff, files, read, entries int }

var defaultLimits = limits{file: MaxFile, patch: diff.MaxPatch, diff: MaxDiff, files: MaxFiles, read: MaxRead, entries: MaxEntries}

// ErrNoChange says that there is nothing to review; the error that wraps it
// names the way out.
var ErrNoChange = errors.New("nothing to review")

// Repo is a git repository on this machine. It is safe for concurrent use.
type Repo struct {
	git    git
	config gitConfig
	limits limits
	// top is the top directory of the working tree; empty in a bare repository.
	top string
	// root confines reads of the working tree; nil in a bare repository.
	root *os.Root
	// dir is the directory that gives the repository its name.
	dir string
	// index is the file of the index.
	index   string
	shallow bool
	// emptyTree is the name of the tree with nothing in it.
	emptyTree string
	objects   *objects
}

// Options choose what is compared.
type Options struct {
	// Base is the revision that the change is to be merged into; the change is
	// what Head has since it parted from it. A tree is compared as it is.
	// Empty, the base is found; Pull.BaseRef of the change says which it is.
	Base string
	// Head is the commit under review; empty for the working tree with its
	// uncommitted and untracked, but not its ignored files.
	Head string
}

// Open finds the repository that dir is in. The caller closes it.
func Open(ctx context.Context, dir string) (*Repo, error) {
	g, err := newGit(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fault.New(fault.Invalid, fmt.Errorf("open checkout: %w", err))
	} else if !info.IsDir() {
		return nil, fault.New(fault.Invalid, fmt.Errorf("open checkout: %s is not a directory", dir))
	}
	if err := g.checkVersion(ctx); err != nil {
		return nil, err
	}
	r := &Repo{git: g, limits: defaultLimits}
	if err := r.locate(ctx); err != nil {
		return nil, err
	}
	if r.config, err = readConfig(ctx, r.git); err != nil {
		return nil, err
	}
	r.git = r.git.configured(r.config.filterOverrides()...)
	if r.emptyTree, err = r.line(ctx, "hash-object", "-t", "tree", "--stdin"); err != nil {
		return nil, err
	}
	if r.top != "" {
		if r.root, err = os.OpenRoot(r.top); err != nil {
			return nil, fmt.Errorf("open working tree: %w", err)
		}
	}
	r.objects = newObjects(r.git)
	return r, nil
}

// Close ends what the repository and the contents of its changes hold open.
func (r *Repo) Close() error {
	err := r.objects.close()
	if r.root != nil {
		err = errors.Join(err, r.root.Close())
	}
	return err
}

// locate fills in where the repository is.
func (r *Repo) locate(ctx context.Context) error {
	// The paths come last, each by itself: they may hold newlines.
	out, err := r.git.output(ctx, "rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--is-shallow-repository")
	if err != nil {
		if strings.Contains(err.Error(), "not a git repository") {
			return fault.New(fault.Invalid, fmt.Errorf("%s is not in a git repository: run this in a checkout", r.git.dir))
		}
		return fault.New(fault.Invalid, fmt.Errorf("open checkout: %w", err))
	}
	facts := strings.Fields(out)
	if len(facts) != 3 {
		return fmt.Errorf("git rev-parse answered %q", out)
	}
	bare, inside := facts[0] == "true", facts[1] == "true"
	r.shallow = facts[2] == "true"
	gitDir, err := r.line(ctx, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return err
	}
	if r.index, err = r.line(ctx, "rev-parse", "--path-format=absolute", "--git-path", "index"); err != nil {
		return err
	}
	switch {
	case bare:
		r.dir = gitDir
	case !inside:
		return fault.New(fault.Invalid, fmt.Errorf("%s is inside a .git directory: run this in the working tree", r.git.dir))
	default:
		if r.top, err = r.line(ctx, "rev-parse", "--show-toplevel"); err != nil {
			return err
		}
		if err := checkTop(r.top); err != nil {
			return err
		}
		r.dir = r.top
	}
	r.git = r.git.in(r.dir)
	return nil
}

// checkTop refuses a working tree that only core.worktree makes one: an archive
// could point that anywhere, and have a home directory reviewed.
func checkTop(top string) error {
	if _, err := os.Lstat(filepath.Join(top, ".git")); err != nil {
		return fault.New(fault.Invalid, fmt.Errorf("working tree %s has no .git of its own (core.worktree is set?): run this in a plain checkout", top))
	}
	return nil
}

// line runs git and returns its output without the newline at its end.
func (r *Repo) line(ctx context.Context, args ...string) (string, error) {
	out, err := r.git.output(ctx, args...)
	return strings.TrimSuffix(out, "\n"), err
}

// Change compares what the options say.
func (r *Repo) Change(ctx context.Context, o Options) (*review.Change, error) {
	cmp, err := r.choose(ctx, o)
	if err != nil {
		return nil, err
	}
	c := newContents(r, cmp)
	found, err := r.compare(ctx, cmp, c)
	if err != nil {
		return nil, r.hintPartial(fmt.Errorf("compare with %s: %w", cmp.baseRef, err))
	}
	if len(found.files) == 0 {
		return nil, r.noChange(cmp)
	}
	pull, err := r.describe(ctx, cmp)
	if err != nil {
		return nil, err
	}
	return &review.Change{
		Repo: r.config.repo(r.dir), Pull: pull,
		Files: found.reviewFiles(), Truncated: found.truncated, Contents: c, Tree: c, Archive: c,
	}, nil
}

// compare reads the diff.
func (r *Repo) compare(ctx context.Context, cmp comparison, c *contents) (listing, error) {
	s, done, err := r.sourceOf(ctx, cmp, c)
	if err != nil {
		return listing{}, err
	}
	defer done()
	found, err := s.read(ctx, r.limits, nil, nil)
	if err != nil {
		return listing{}, err
	}
	c.know(found.files)
	if err := r.settle(ctx, s, c, &found); err != nil {
		return listing{}, err
	}
	found.files = append(found.files, s.extra...)
	if found.truncated == "" {
		found.truncated = s.truncated
	}
	return found, nil
}

// hintPartial adds the way out to errors that a partial clone may have caused.
func (r *Repo) hintPartial(err error) error {
	if !r.config.partial() {
		return err
	}
	return fmt.Errorf("%w (this is a partial clone, and nothing is fetched during a review: let git fetch what the comparison needs first, as with `git diff BASE HEAD`)", err)
}

// noChange is the error for a comparison without a difference.
func (r *Repo) noChange(c comparison) error {
	var way string
	switch {
	case r.shallow:
		way = "this is a shallow clone: get the history with `git fetch --unshallow`, or name a commit it has with --base"
	case c.baseCommit == "":
		way = "there are no files"
	case c.found && c.root:
		way = "this is the first commit: review all of it with --base " + r.emptyTree
	case c.found:
		way = "name an earlier commit, as with --base " + c.revision() + "~1"
	default:
		way = "name another commit with --base"
	}
	return fault.New(fault.Invalid, fmt.Errorf("%w: %s is the same as its base %s; %s", ErrNoChange, c.headName(), c.baseRef, way))
}
