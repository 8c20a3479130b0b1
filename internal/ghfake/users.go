package ghfake

import (
	"fmt"
	"net/url"
	"strings"
)

// user is an account: of a person, an organisation or an app.
type user struct {
	id    int64
	login string
	kind  string // "User", "Organization" or "Bot"
}

// user returns the account of a login, made on first sight.
func (s *Server) user(login string) *user {
	if login == "" {
		login = "ghost" // what GitHub shows for deleted accounts
	}
	key := strings.ToLower(login)
	if s.users[key] == nil {
		kind := "User"
		if strings.HasSuffix(login, "[bot]") {
			kind = "Bot"
		}
		s.users[key] = &user{id: s.nextID(), login: login, kind: kind}
	}
	return s.users[key]
}

// organisation makes an account an organisation, unless it is known already.
func (s *Server) organisation(login string) {
	_, known := s.users[strings.ToLower(login)]
	u := s.user(login)
	if !known {
		u.kind = "Organization"
	}
}

func (s *Server) userJSON(u *user) object {
	api := s.apiURL + "/users/" + url.PathEscape(u.login)
	html := s.web(u.login)
	if slug, isBot := strings.CutSuffix(u.login, "[bot]"); isBot {
		html = s.web("apps", slug)
	}
	return object{
		"login": u.login, "id": u.id, "node_id": nodeID("User", u.id), "gravatar_id": "", "type": u.kind,
		"site_admin": false, "user_view_type": "public",
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d", s.webURL, u.id), "url": api, "html_url": html,
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos",
		"events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events",
	}
}

// nodeID is a stand-in for GraphQL's opaque IDs.
func nodeID(kind string, id int64) string { return fmt.Sprintf("%s_%d", kind, id) }

func (s *Server) getUser(c *call) (answer, error) {
	u := s.users[strings.ToLower(c.params["username"])]
	if u == nil {
		return answer{}, notFound()
	}
	o := s.userJSON(u)
	for _, absent := range []string{"name", "company", "blog", "location", "email", "hireable", "bio", "twitter_username"} {
		o[absent] = nil
	}
	for _, count := range []string{"public_repos", "public_gists", "followers", "following"} {
		o[count] = 0
	}
	o["created_at"], o["updated_at"] = s.stamp(), s.stamp()
	return ok(o), nil
}

// SetPermission gives a person a permission on a repository: "admin",
// "maintain", "write", "triage", "read" or "none".
func (s *Server) SetPermission(repo *Repo, login, permission string) {
	switch permission {
	case "admin", "maintain", "write", "triage", "read", "none":
	default:
		panic(fmt.Sprintf("ghfake: unknown permission %q", permission))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(login)
	repo.roles[strings.ToLower(login)] = permission
}

// role is what a person may do on a repository: what they were given, all for
// the owner, and reading for everybody where it is public.
func (r *Repo) role(login string) string {
	switch given, known := r.roles[strings.ToLower(login)]; {
	case known:
		return given
	case strings.EqualFold(login, r.Owner):
		return "admin"
	case r.Private:
		return "none"
	default:
		return "read"
	}
}

// association is how a person stands to a repository, in the words that
// comments carry.
func (r *Repo) association(login string) string {
	switch role := r.role(login); {
	case strings.EqualFold(login, r.Owner):
		return "OWNER"
	case r.roles[strings.ToLower(login)] == "" || role == "none":
		return "NONE"
	case role == "read":
		return "CONTRIBUTOR"
	default:
		return "COLLABORATOR"
	}
}

func (s *Server) getPermission(c *call) (answer, error) {
	login := c.params["username"]
	u := s.users[strings.ToLower(login)]
	if u == nil {
		return answer{}, problem(404, "%s is not a user", login)
	}
	role := c.repo.role(login)
	// The older field knows four levels, the newer names the role.
	level := map[string]string{"maintain": "write", "triage": "read"}[role]
	setDefault(&level, role)
	account := s.userJSON(u)
	account["role_name"] = role
	can := func(roles ...string) bool { return strings.Contains(" "+strings.Join(roles, " ")+" ", " "+role+" ") }
	account["permissions"] = object{
		"admin": can("admin"), "maintain": can("admin", "maintain"), "push": can("admin", "maintain", "write"),
		"triage": can("admin", "maintain", "write", "triage"), "pull": can("admin", "maintain", "write", "triage", "read"),
	}
	return ok(object{"permission": level, "role_name": role, "user": account}), nil
}
