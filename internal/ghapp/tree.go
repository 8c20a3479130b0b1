package ghapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

// tree lists the files of one change.
type tree struct{ reads *contents }

type treeKey struct {
	token tokenKey
	sha   string // of the commit, whose tree does not change
}

// listing is what a commit has, or the lasting reason why it cannot be listed.
type listing struct {
	entries []review.Entry
	err     error
}

// entryBytes is about what an entry takes beside its path.
const entryBytes = 128

func (l listing) weight() int {
	weight := 0
	for _, e := range l.entries {
		weight += entryBytes + len(e.Path)
	}
	return weight
}

// List returns the files in path order, submodules among them. A change without
// a base has none there. The entries are shared by all who ask, and are not to
// be changed. GitHub lists 100,000 entries or 7 MB at most
// (https://docs.github.com/rest/git/trees#get-a-tree); it is
// review.ErrTooLarge when there are more.
func (t *tree) List(ctx context.Context, side review.Side) ([]review.Entry, error) {
	repo := t.reads.repo
	ref, err := t.reads.ref(ctx, side)
	if errors.Is(err, review.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	got, err := repo.app.caches.trees.Get(ctx, treeKey{repo.key, ref}, func(ctx context.Context) (listing, error) {
		entries, err := repo.tree(ctx, ref)
		if errors.Is(err, review.ErrTooLarge) {
			return listing{err: err}, nil
		}
		return listing{entries: entries}, err
	})
	if err = cmp.Or(err, got.err); err != nil {
		return nil, fmt.Errorf("list the files of %s at %s: %w", repo.repo, ref, err)
	}
	return got.entries, nil
}

func (r *Repository) tree(ctx context.Context, sha string) ([]review.Entry, error) {
	var answer any
	_, err := r.get(ctx, r.path("git/trees/%s?recursive=1", sha), "", "", func(resp *github.Response) (err error) {
		answer, _, err = decodeJSON(resp, checkTree)
		return err
	})
	switch listed, _ := answer.(*github.Tree); {
	case hasStatus(err, http.StatusConflict): // "Git Repository is empty."
		return nil, nil
	case err != nil:
		return nil, err
	case listed.GetTruncated():
		return nil, fault.New(fault.Invalid, review.ErrTooLarge)
	default:
		return entriesOf(listed), nil
	}
}

func checkTree(t *github.Tree) error {
	if t.GetSHA() == "" {
		return incomplete("no tree")
	}
	for _, e := range t.Entries {
		if e.GetPath() == "" || e.GetType() == "" {
			return incomplete("an entry without path or type")
		}
	}
	return nil
}

func entriesOf(t *github.Tree) []review.Entry {
	entries := make([]review.Entry, 0, len(t.Entries))
	for _, e := range t.Entries {
		if e.GetType() == "tree" {
			continue
		}
		entry := review.Entry{Path: e.GetPath(), Mode: e.GetMode(), SHA: e.GetSHA(), Size: -1}
		if e.Size != nil {
			entry.Size = int64(*e.Size)
		}
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(a, b review.Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries
}
