package ghapp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

const (
	// maxFiles is the number of files GitHub lists of a pull request
	// (https://docs.github.com/rest/pulls/pulls#list-pull-requests-files).
	maxFiles = 3000
	// GitHub leaves patches out of an answer, counts set to zero, once the
	// answer holds some 20,000 lines or 1 MB of them. A page with half of
	// either is looked at again in smaller ones.
	fullPageLines = 10_000
	fullPageBytes = 500_000
	smallPage     = 10
	// maxSmallPages bounds what is spent on that.
	maxSmallPages = 60
)

// Change reads the files that a pull request changes at its head. Files whose
// patch GitHub keeps back say so in Unread. It fails with review.ErrHeadMoved
// (transient) when the head is no longer pull.HeadSHA.
//
// With the number 0 it reads what pull.HeadSHA has over pull.BaseSHA since they
// parted; without a base (empty or all zeros) the change has no files, and its
// contents and tree are those of the head.
func (r *Repository) Change(ctx context.Context, pull review.Pull) (*review.Change, error) {
	c, err := r.change(ctx, pull)
	if err != nil {
		return nil, fmt.Errorf("read the change of %s: %w", subject(r.repo, pull), err)
	}
	return c, nil
}

// subject names a pull request, or commits of a branch.
func subject(repo review.Repo, pull review.Pull) string {
	if pull.Number == 0 {
		return fmt.Sprintf("%s at %s", repo, pull.HeadSHA)
	}
	return fmt.Sprintf("%s#%d", repo, pull.Number)
}

func (r *Repository) change(ctx context.Context, pull review.Pull) (*review.Change, error) {
	based := pull.Number != 0 || !noCommit(pull.BaseSHA)
	if err := checkSHA(pull.HeadSHA); err != nil {
		return nil, err
	}
	if based {
		if err := checkSHA(pull.BaseSHA); err != nil {
			return nil, err
		}
	}
	c, reads := r.emptyChange(pull)
	var listed []*github.CommitFile
	var err error
	switch {
	case pull.Number != 0:
		listed, c.Truncated, err = r.changedByPull(ctx, pull)
	case based:
		listed, c.Truncated, err = r.changedByCommits(ctx, reads)
	}
	if err != nil {
		return nil, err
	}
	if c.Files, err = r.readFiles(ctx, reads, listed); err != nil {
		return nil, err
	}
	slices.SortFunc(c.Files, func(a, b review.File) int { return strings.Compare(a.Path, b.Path) })
	return c, nil
}

// emptyChange is a change whose files are yet to be read.
func (r *Repository) emptyChange(pull review.Pull) (*review.Change, *contents) {
	reads := newContents(r, pull)
	return &review.Change{Repo: r.repo, Pull: pull, Contents: reads, Tree: &tree{reads}, Archive: archive{reads}, Host: newHost(r, pull)}, reads
}

// changedByPull lists what a pull request changes, and says why that is not
// all of it.
func (r *Repository) changedByPull(ctx context.Context, pull review.Pull) (listed []*github.CommitFile, truncated string, err error) {
	if listed, err = r.files(ctx, pull.Number); err != nil {
		return nil, "", err
	}
	// The list of files is that of the newest head, whatever it is.
	now, err := r.pull(ctx, pull.Number)
	if err != nil {
		return nil, "", err
	}
	if head := now.GetHead().GetSHA(); head != pull.HeadSHA {
		return nil, "", fault.New(fault.Transient, fmt.Errorf("%w from %s to %s", review.ErrHeadMoved, pull.HeadSHA, head))
	}
	switch total := now.GetChangedFiles(); {
	case total > len(listed):
		truncated = fmt.Sprintf("GitHub listed %d of %d changed files", len(listed), total)
	case len(listed) >= maxFiles:
		truncated = fmt.Sprintf("GitHub lists no more than %d changed files", maxFiles)
	}
	return listed, truncated, nil
}

// files lists the changed files, looking again for patches that went missing.
func (r *Repository) files(ctx context.Context, number int) ([]*github.CommitFile, error) {
	list := r.filesPage(number)
	var all []*github.CommitFile
	small := make(map[int]bool) // numbers of small pages with missing patches
	err := pages(ctx, list, func(page []*github.CommitFile) (bool, error) {
		full := fullPage(page)
		for i, f := range page {
			if full && keptBack(f) {
				small[(len(all)+i)/smallPage+1] = true
			}
		}
		all = append(all, page...)
		return len(all) < maxFiles, nil
	})
	if err != nil {
		return nil, err
	}
	again := slices.Sorted(maps.Keys(small))
	byName := make(map[string]*github.CommitFile)
	for _, n := range again[:min(len(again), maxSmallPages)] {
		page, _, err := list(ctx, github.ListOptions{Page: n, PerPage: smallPage})
		if err != nil {
			return nil, err
		}
		for _, f := range page {
			byName[f.GetFilename()] = f
		}
	}
	for i, f := range all {
		if second := byName[f.GetFilename()]; keptBack(f) && second != nil && !keptBack(second) {
			all[i] = second
		}
	}
	return all, nil
}

// filesPage reads a page of the changed files, which are shared and not to be
// changed.
func (r *Repository) filesPage(number int) pager[*github.CommitFile] {
	return func(ctx context.Context, page github.ListOptions) ([]*github.CommitFile, int, error) {
		path := r.path("pulls/%d/files?per_page=%d&page=%d", number, page.PerPage, page.Page)
		got, err := r.current(ctx, r.app.caches.answers, path, "", decodeFiles)
		files, _ := got.value.([]*github.CommitFile)
		return files, got.next, err
	}
}

func decodeFiles(resp *github.Response) (any, int, error) { return decodeJSON(resp, checkFiles) }

func checkFiles(files []*github.CommitFile) error {
	if files == nil {
		return errNoList
	}
	for _, f := range files {
		if f.GetFilename() == "" {
			return incomplete("a file without a name")
		}
	}
	return nil
}

// fullPage reports whether a page holds so much that GitHub may have left
// patches out of it.
func fullPage(page []*github.CommitFile) bool {
	lines, size := 0, 0
	for _, f := range page {
		lines += strings.Count(f.GetPatch(), "\n") + 1
		size += len(f.GetPatch())
	}
	return lines >= fullPageLines || size >= fullPageBytes
}

// keptBack reports whether there may be more to a file than GitHub says.
func keptBack(f *github.CommitFile) bool { return f.GetPatch() == "" && f.GetChanges() == 0 }
