package ghfake

import (
	"net/http"
	"slices"
	"strconv"
)

func (s *Server) createCheckSuite(c *call) (answer, error) {
	var in struct {
		HeadSHA string `json:"head_sha"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if c.repo.objects.commits[in.HeadSHA] == nil {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", in.HeadSHA)
	}
	known := len(s.suites)
	suite := s.suite(c.caller.app, c.repo, in.HeadSHA)
	if len(s.suites) == known {
		return ok(s.suiteWithRepo(suite)), nil
	}
	return created(s.suiteWithRepo(suite)), nil
}

// suiteWithRepo is a suite as the API has it; in events the repository stands
// beside it.
func (s *Server) suiteWithRepo(suite *checkSuite) object {
	o := s.suiteJSON(suite)
	o["repository"] = s.repoJSON(suite.repo)
	return o
}

// checkSuite is the suite the path names.
func (c *call) checkSuite() (*checkSuite, error) {
	id, err := c.id("check_suite_id")
	if err != nil {
		return nil, err
	}
	if suite := c.s.suites[id]; suite != nil && suite.repo == c.repo {
		return suite, nil
	}
	return nil, notFound()
}

func (s *Server) getCheckSuite(c *call) (answer, error) {
	suite, err := c.checkSuite()
	if err != nil {
		return answer{}, err
	}
	return ok(s.suiteWithRepo(suite)), nil
}

func (s *Server) listSuiteCheckRuns(c *call) (answer, error) {
	suite, err := c.checkSuite()
	if err != nil {
		return answer{}, err
	}
	return s.runsAnswer(c, suite.runs), nil
}

func (s *Server) rerequestCheckSuite(c *call) (answer, error) {
	suite, err := c.checkSuite()
	if err != nil {
		return answer{}, err
	}
	s.rerequestSuite(suite, c.caller.app.BotLogin())
	return created(object{}), nil
}

func (s *Server) listCheckSuites(c *call) (answer, error) {
	sha := c.repo.resolve(c.params["ref"])
	if sha == "" {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", c.params["ref"])
	}
	app, _ := strconv.ParseInt(c.query("app_id"), 10, 64) // the description wants a number
	suites := slices.DeleteFunc(slices.Clone(s.suitesAt[commitKey{c.repo.ID, sha}]), func(suite *checkSuite) bool {
		named := slices.ContainsFunc(suite.runs, func(r *checkRun) bool { return r.Name == c.query("check_name") })
		return app != 0 && suite.app.ID != app || c.query("check_name") != "" && !named
	})
	return counted(c, "check_suites", suites, s.suiteWithRepo), nil
}
