package ghapp

import (
	"context"
	"fmt"

	"github.com/google/go-github/v62/github"
)

const (
	// pageSize is the largest page GitHub gives of any list.
	pageSize = 100
	// maxPages bounds every list. A pull request has at most 2,500 comments and
	// 3,000 listed files, and no other list is as long.
	maxPages = 50
)

var errNoList = incomplete("no list")

// pager reads one page of a list, and the number of the next one; 0 after the
// last.
type pager[T any] func(context.Context, github.ListOptions) (items []T, next int, err error)

// pages reads a list page by page and hands them to visit until that reports
// false or the list ends.
func pages[T any](ctx context.Context, list pager[T], visit func([]T) (more bool, err error)) error {
	page := 1
	for range maxPages {
		items, next, err := list(ctx, github.ListOptions{Page: page, PerPage: pageSize})
		if err != nil {
			return err
		}
		more, err := visit(items)
		if err != nil || !more || next == 0 {
			return err
		}
		page = next
	}
	return incomplete(fmt.Sprintf("a list of more than %d pages", maxPages))
}

// paged makes a pager of a request for one page, with retries. A list that is
// missing from an answer is an error and not an empty list.
func paged[T any](r *Repository, request func(context.Context, github.ListOptions) ([]T, *github.Response, error)) pager[T] {
	return func(ctx context.Context, page github.ListOptions) (items []T, next int, err error) {
		err = r.read(ctx, func(ctx context.Context) error {
			got, resp, err := request(ctx, page)
			if err != nil {
				return err
			}
			if got == nil {
				return errNoList
			}
			items, next = got, resp.NextPage
			return nil
		})
		return items, next, err
	}
}
