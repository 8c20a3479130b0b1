package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"
)

// maxCompared is the number of changed files GitHub lists of a comparison, all
// on its first page
// (https://docs.github.com/rest/commits/commits#compare-two-commits).
const maxCompared = 300

// noCommit reports whether a SHA stands for no commit: events write zeros for
// what was not there.
func noCommit(sha string) bool { return strings.Trim(sha, "0") == "" }

type baseKey struct {
	token      tokenKey
	base, head string
}

// mergeBase is where two commits parted; empty when they have no history in
// common.
type mergeBase struct{ sha string }

func (r *Repository) mergeBase(ctx context.Context, of baseKey) (mergeBase, error) {
	// Of the comparison itself only the smallest page is wanted.
	answer, err := r.compare(ctx, of.base, of.head, "per_page=1&page=2")
	if hasStatus(err, http.StatusNotFound) {
		return mergeBase{}, nil
	}
	return mergeBase{answer.GetMergeBaseCommit().GetSHA()}, err
}

// compare compares two commits, given as a SHA or a branch, from where they
// parted. The answer is shared and not to be changed.
func (r *Repository) compare(ctx context.Context, base, head, page string) (*github.CommitsComparison, error) {
	got, err := r.current(ctx, r.app.caches.answers, r.path("compare/%s...%s?%s", escapeRef(base), escapeRef(head), page), "", decodeComparison)
	answer, _ := got.value.(*github.CommitsComparison)
	return answer, err
}

func decodeComparison(resp *github.Response) (any, int, error) {
	return decodeJSON(resp, func(c *github.CommitsComparison) error {
		if checkSHA(c.GetMergeBaseCommit().GetSHA()) != nil {
			return incomplete("no merge base")
		}
		return nil
	})
}

// changedByCommits lists what the head has over the base since they parted, and
// says why that is not all of it.
func (r *Repository) changedByCommits(ctx context.Context, reads *contents) (listed []*github.CommitFile, truncated string, err error) {
	key := baseKey{r.key, reads.pull.BaseSHA, reads.pull.HeadSHA}
	var answer *github.CommitsComparison
	err = r.lookUp(ctx, func() (err error) {
		// One commit is as few as can be asked for; the files come with it.
		if answer, err = r.compare(ctx, key.base, key.head, "per_page=1&page=1"); unrelated(err) {
			answer, err = nil, nil
		}
		return err
	})
	switch {
	case err != nil:
		return nil, "", err
	case answer == nil:
		return nil, "GitHub does not compare commits that have no history in common", nil
	}
	// Contents will want to know the same.
	_, err = r.app.caches.bases.Get(ctx, key, func(context.Context) (mergeBase, error) {
		return mergeBase{answer.GetMergeBaseCommit().GetSHA()}, nil
	})
	if len(answer.Files) >= maxCompared {
		truncated = fmt.Sprintf("GitHub lists no more than %d changed files of a comparison", maxCompared)
	}
	return answer.Files, truncated, errors.Join(err, checkListed(answer.Files))
}

// checkListed refuses files without names. Unlike other lists, that of a
// comparison may be missing.
func checkListed(files []*github.CommitFile) error {
	if len(files) == 0 {
		return nil
	}
	return checkFiles(files)
}

// unrelated knows GitHub's answer to a comparison of commits without a common
// ancestor, which has the same status as that of commits it does not know.
func unrelated(err error) bool {
	answer, ok := errors.AsType[*answerError](err)
	return ok && answer.status == http.StatusNotFound && strings.Contains(strings.ToLower(answer.message), "no common ancestor")
}

// maxCommits is the number of commits that are listed of a change: as many as
// GitHub lists of a pull request
// (https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request).
const maxCommits = 250

// commitsBetween lists the commits that head has over base, oldest first, at
// most maxCommits.
func (r *Repository) commitsBetween(ctx context.Context, base, head string) ([]*github.RepositoryCommit, error) {
	var all []*github.RepositoryCommit
	for page := 1; len(all) < maxCommits; page++ {
		answer, err := r.compare(ctx, base, head, fmt.Sprintf("per_page=%d&page=%d", pageSize, page))
		if err != nil {
			return nil, err
		}
		all = append(all, answer.Commits...)
		if len(answer.Commits) == 0 || len(all) >= answer.GetTotalCommits() {
			break
		}
	}
	return all[:min(len(all), maxCommits)], nil
}
