package ghfake

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// tokenPrefix marks installation tokens.
	tokenPrefix = "ghs_"
	// tokenLife is how long they are good for
	// (https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app).
	tokenLife = time.Hour
)

// token is an installation token.
type token struct {
	inst        *Installation
	permissions map[string]string
	// repos narrows the token to some repositories; nil means all that the
	// installation covers.
	repos     map[int64]bool
	repoNames []string
	expires   time.Time
}

func (t *token) reaches(r *Repo) bool { return t.inst.has(r) && (t.repos == nil || t.repos[r.ID]) }

// allows reports whether the token has one of the permissions; nothing needed
// is always allowed.
func (t *token) allows(needs []permission) bool {
	return len(needs) == 0 || slices.ContainsFunc(needs, func(n permission) bool {
		return levelOf(t.permissions[n.name]) >= n.level
	})
}

// tokenRequest is what a token may be narrowed by.
type tokenRequest struct {
	Repositories  []string          `json:"repositories"`
	RepositoryIDs []int64           `json:"repository_ids"`
	Permissions   map[string]string `json:"permissions"`
}

func (s *Server) createToken(c *call) (answer, error) {
	inst, err := c.installation()
	if err != nil {
		return answer{}, err
	}
	if !inst.suspendedAt.IsZero() {
		return answer{}, problem(http.StatusForbidden, "This installation has been suspended")
	}
	var in tokenRequest
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	t := &token{inst: inst, expires: s.stamp().Add(tokenLife)}
	if t.permissions, err = grantedPermissions(inst, in.Permissions); err != nil {
		return answer{}, err
	}
	repos, err := s.narrowedRepos(c, inst, in)
	if err != nil {
		return answer{}, err
	}
	body := object{"expires_at": t.expires, "permissions": t.permissions, "repository_selection": inst.selection()}
	if repos != nil {
		t.repos = map[int64]bool{}
		for _, r := range repos {
			t.repos[r.ID] = true
			t.repoNames = append(t.repoNames, r.FullName())
		}
		body["repository_selection"] = "selected"
		body["repositories"] = mapped(repos, s.repoJSON)
	}
	value := newTokenValue(inst.App.ID)
	s.sweepTokens()
	s.tokens[value] = t
	body["token"] = value
	return created(body), nil
}

// sweepTokens forgets tokens that expired, so that a long run stays small. They
// answer "Bad credentials" either way.
func (s *Server) sweepTokens() {
	now := s.cfg.Now()
	maps.DeleteFunc(s.tokens, func(_ string, t *token) bool { return !now.Before(t.expires) })
}

// newTokenValue makes a token in the newer form, whose length varies: nobody
// may count on 40 characters.
func newTokenValue(app int64) string {
	var b [160]byte
	_, _ = rand.Read(b[:])
	n := 90 + int(b[0])%64
	return fmt.Sprintf("%s%d_%s", tokenPrefix, app, base64.RawURLEncoding.EncodeToString(b[1:n]))
}

func grantedPermissions(inst *Installation, wanted map[string]string) (map[string]string, error) {
	if len(wanted) == 0 {
		return maps.Clone(inst.permissions), nil
	}
	granted := map[string]string{"metadata": "read"}
	for name, want := range wanted {
		if levelOf(want) > levelOf(inst.permissions[name]) {
			return nil, problem(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation.")
		}
		granted[name] = want
	}
	return granted, nil
}

// narrowedRepos are the repositories the request names; nil when it names none.
func (s *Server) narrowedRepos(c *call, inst *Installation, in tokenRequest) ([]*Repo, error) {
	if len(in.Repositories)+len(in.RepositoryIDs) > maxTokenRepos {
		return nil, c.broken(problem(http.StatusUnprocessableEntity, "There are too many repositories: at most %d may be named.", maxTokenRepos))
	}
	unknown := problem(http.StatusUnprocessableEntity, "There is at least one repository that does not exist or is not accessible to the parent installation.")
	var repos []*Repo
	for _, name := range in.Repositories {
		if strings.Contains(name, "/") {
			// The field takes bare names: the owner is the installation's.
			return nil, c.broken(unknown)
		}
		repos = append(repos, s.repos[strings.ToLower(inst.Account+"/"+name)])
	}
	for _, id := range in.RepositoryIDs {
		repos = append(repos, s.repoByID[id])
	}
	for _, r := range repos {
		if r == nil || !inst.has(r) {
			return nil, unknown
		}
	}
	return repos, nil
}

func (s *Server) revokeToken(c *call) (answer, error) {
	maps.DeleteFunc(s.tokens, func(_ string, t *token) bool { return t == c.caller.token })
	return noContent(), nil
}
