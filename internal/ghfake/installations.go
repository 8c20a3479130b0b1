package ghfake

import (
	"cmp"
	"slices"
	"strings"
)

func (s *Server) listInstallations(c *call) (answer, error) {
	var mine []*Installation
	for _, inst := range s.installs {
		if inst.App == c.caller.app {
			mine = append(mine, inst)
		}
	}
	slices.SortFunc(mine, func(a, b *Installation) int { return cmp.Compare(a.ID, b.ID) })
	return paged(c, mine, s.installationJSON), nil
}

func (s *Server) getInstallation(c *call) (answer, error) {
	inst, err := c.installation()
	if err != nil {
		return answer{}, err
	}
	return ok(s.installationJSON(inst)), nil
}

// installation is the one the path names, if it is the app's own.
func (c *call) installation() (*Installation, error) {
	id, err := c.id("installation_id")
	if err != nil {
		return nil, err
	}
	if inst := c.s.installs[id]; inst != nil && inst.App == c.caller.app {
		return inst, nil
	}
	return nil, notFound()
}

func (s *Server) getRepoInstallation(c *call) (answer, error) {
	repo := s.repos[strings.ToLower(c.params["owner"]+"/"+c.params["repo"])]
	if repo == nil {
		return answer{}, notFound()
	}
	return s.installationWhere(c, func(i *Installation) bool { return i.has(repo) })
}

func (s *Server) getOrgInstallation(c *call) (answer, error) {
	return s.installationWhere(c, func(i *Installation) bool { return strings.EqualFold(i.Account, c.params["org"]) })
}

func (s *Server) installationWhere(c *call, fits func(*Installation) bool) (answer, error) {
	for _, inst := range s.installs {
		if inst.App == c.caller.app && fits(inst) {
			return ok(s.installationJSON(inst)), nil
		}
	}
	return answer{}, notFound()
}

// listInstallationRepos lists what the token can reach.
func (s *Server) listInstallationRepos(c *call) (answer, error) {
	var reach []*Repo
	for _, r := range s.repoByID {
		if c.caller.token.reaches(r) {
			reach = append(reach, r)
		}
	}
	slices.SortFunc(reach, func(a, b *Repo) int { return cmp.Compare(a.ID, b.ID) })
	a := counted(c, "repositories", reach, s.repoJSON)
	return a, nil
}
