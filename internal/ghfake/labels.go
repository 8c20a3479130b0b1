package ghfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// label is a label of a repository.
type label struct {
	id   int64
	name string
}

// label returns the label of a name, made on first sight as GitHub does when
// one is put on a pull request.
func (s *Server) label(r *Repo, name string) *label {
	key := strings.ToLower(name)
	if r.labels[key] == nil {
		r.labels[key] = &label{id: s.nextID(), name: name}
	}
	return r.labels[key]
}

// Label puts a label on a pull request. It sends pull_request.labeled.
func (s *Server) Label(p *PullRequest, name, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addLabel(p, name, by)
}

func (s *Server) addLabel(p *PullRequest, name, by string) {
	l := s.label(p.Repo, name)
	if slices.Contains(p.labels, l) {
		return
	}
	p.labels = append(slices.Clip(p.labels), l)
	s.touch(p, "labeled", by, object{"label": s.labelJSON(p.Repo)(l)})
}

// Unlabel takes a label off a pull request. It sends pull_request.unlabeled.
func (s *Server) Unlabel(p *PullRequest, name, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLabel(p, name, by)
}

// dropLabel reports whether the label was there.
func (s *Server) dropLabel(p *PullRequest, name, by string) bool {
	l := p.Repo.labels[strings.ToLower(name)]
	i := slices.Index(p.labels, l)
	if l == nil || i < 0 {
		return false
	}
	p.labels = slices.Delete(slices.Clone(p.labels), i, i+1)
	s.touch(p, "unlabeled", by, object{"label": s.labelJSON(p.Repo)(l)})
	return true
}

func (s *Server) labelJSON(r *Repo) func(*label) object {
	return func(l *label) object {
		return object{
			"id": l.id, "node_id": nodeID("LA", l.id), "name": l.name, "description": nil, "color": "ededed", "default": false,
			"url": s.api("repos", r.Owner, r.Name, "labels", l.name),
		}
	}
}

func (s *Server) listRepoLabels(c *call) (answer, error) {
	var all []*label
	for _, key := range sortedKeys(c.repo.labels) {
		all = append(all, c.repo.labels[key])
	}
	return paged(c, all, s.labelJSON(c.repo)), nil
}

func (s *Server) listLabels(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	return paged(c, p.labels, s.labelJSON(p.Repo)), nil
}

func (s *Server) addLabels(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	names, err := labelNames(c)
	if err != nil {
		return answer{}, err
	}
	for _, name := range names {
		s.addLabel(p, name, c.caller.app.BotLogin())
	}
	return ok(mapped(p.labels, s.labelJSON(p.Repo))), nil
}

// labelNames reads the names in any of the forms that GitHub takes.
func labelNames(c *call) ([]string, error) {
	var bare []string
	if json.Unmarshal(c.body, &bare) == nil {
		return bare, nil
	}
	var in struct {
		Labels []json.RawMessage `json:"labels"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var names []string
	for _, raw := range in.Labels {
		var name string
		var l struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(raw, &name) != nil && json.Unmarshal(raw, &l) == nil {
			name = l.Name
		}
		if name == "" {
			return nil, invalid("Label", "name", "missing_field", "")
		}
		names = append(names, name)
	}
	return names, nil
}

func (s *Server) removeLabel(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	if !s.dropLabel(p, c.params["name"], c.caller.app.BotLogin()) {
		return answer{}, problem(http.StatusNotFound, "Label does not exist")
	}
	return ok(mapped(p.labels, s.labelJSON(p.Repo))), nil
}
