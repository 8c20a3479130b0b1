package intake

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// target is what an upload is for.
type target struct {
	repository, sha, category, root string
}

// The forms of what an upload names. GitHub's names have at most 39 and 100
// characters.
var (
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)
	shaForm        = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	categoryForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}$`)
)

const maxRoot = 1024

// targetOf reads a query. Its errors are for people.
func targetOf(query string) (t target, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return t, errors.New("the query cannot be read")
	}
	for name, given := range values {
		if len(given) > 1 {
			return t, fmt.Errorf("%s is given twice", short(name))
		}
		switch name {
		case "repository":
			t.repository = given[0]
		case "sha":
			t.sha = given[0]
		case "category":
			t.category = given[0]
		case "root":
			t.root = given[0]
		default:
			return t, fmt.Errorf("unknown parameter %q: there are repository, sha, category and root", short(name))
		}
	}
	switch {
	case !repositoryForm.MatchString(t.repository):
		return t, errors.New("repository is missing or no owner/name")
	case !shaForm.MatchString(t.sha):
		return t, errors.New("sha is missing or no full commit ID: send that of the pull request's head")
	case t.category != "" && !categoryForm.MatchString(t.category):
		return t, errors.New("category: use at most 64 letters, digits, dots, slashes, colons, _ and -")
	case len(t.root) > maxRoot || strings.ContainsRune(t.root, 0):
		return t, fmt.Errorf("root is longer than %d bytes", maxRoot)
	}
	return t, nil
}

func short(s string) string { return s[:min(len(s), 40)] }
