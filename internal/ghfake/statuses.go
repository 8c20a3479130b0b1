package ghfake

import (
	"net/http"
	"unicode/utf8"
)

// createStatus makes a commit status
// (https://docs.github.com/rest/commits/statuses#create-a-commit-status).
func (s *Server) createStatus(c *call) (answer, error) {
	var in struct {
		State       string `json:"state"`
		TargetURL   string `json:"target_url"`
		Description string `json:"description"`
		Context     string `json:"context"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	sha := c.params["sha"]
	if c.repo.objects.commits[sha] == nil {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", sha)
	}
	if utf8.RuneCountInString(in.Description) > maxStatusDescription {
		return answer{}, c.broken(invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)"))
	}
	setDefault(&in.Context, "default")
	s.keepStatus(commitKey{c.repo.ID, sha}, Status{Context: in.Context, State: in.State, URL: in.TargetURL})
	id := s.nextID()
	return created(object{
		"id": id, "node_id": nodeID("SC", id), "url": s.api("repos", c.repo.Owner, c.repo.Name, "statuses", sha), "avatar_url": nil,
		"state": in.State, "description": orNull(in.Description), "target_url": orNull(in.TargetURL), "context": in.Context,
		"created_at": s.stamp(), "updated_at": s.stamp(), "creator": s.userJSON(s.user(c.caller.app.BotLogin())),
	}), nil
}
