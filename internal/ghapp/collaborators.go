package ghapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
)

// roles are GitHub's words for what somebody may do in a repository.
var roles = []string{"admin", "maintain", "write", "triage", "read", "none"}

// permissionLevel is GitHub's answer: the older field knows four roles only
// (https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user).
type permissionLevel struct {
	Permission string `json:"permission"`
	RoleName   string `json:"role_name"`
}

// Permission is what a person may do in the repository, by whichever way it was
// given: "admin", "maintain", "write", "triage", "read" or "none". It is asked
// anew each time. A role that an organisation has made up counts as the one it
// is built on, as far as GitHub says; a login that nobody has is "none".
func (r *Repository) Permission(ctx context.Context, login string) (string, error) {
	role, err := r.permission(ctx, login)
	if err != nil {
		return "", fmt.Errorf("read the permission of %q in %s: %w", login, r.repo, err)
	}
	return role, nil
}

func (r *Repository) permission(ctx context.Context, login string) (string, error) {
	if login == "" || strings.ContainsAny(login, "/\\?#") || strings.Trim(login, ".") == "" {
		return "", fault.New(fault.Invalid, errors.New("that is not a login"))
	}
	var answer permissionLevel
	_, err := r.get(ctx, r.path("collaborators/%s/permission", url.PathEscape(login)), "", "", func(resp *github.Response) error {
		answer = permissionLevel{}
		return json.NewDecoder(resp.Body).Decode(&answer)
	})
	switch {
	case nobody(err):
		return "none", nil
	case err != nil:
		return "", err
	case slices.Contains(roles, answer.RoleName):
		return answer.RoleName, nil
	case slices.Contains(roles, answer.Permission):
		return answer.Permission, nil
	}
	return "", incomplete("no permission")
}

// nobody knows GitHub's answer for a login that is nobody's, which has the same
// status as that of a repository out of reach.
func nobody(err error) bool {
	answer, ok := errors.AsType[*answerError](err)
	return ok && answer.status == http.StatusNotFound && strings.Contains(answer.message, "is not a user")
}
