package ghfake

import (
	"cmp"
	"slices"
)

// Demands are what a branch asks of a pull request before it is merged.
type Demands struct {
	// Checks are the names of the checks that must succeed.
	Checks []string
	// Approvals is the number of approving reviews.
	Approvals int
}

// SetRules puts a ruleset on a branch, in place of the one it had.
func (s *Server) SetRules(repo *Repo, branch string, d Demands) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo.rules[branch] = ruled{id: s.nextID(), Demands: d}
}

// Protect puts a protection rule, which is older than rulesets and not so open,
// on a branch.
func (s *Server) Protect(repo *Repo, branch string, d Demands) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo.protection[branch] = d
}

// ruled is a ruleset of one branch.
type ruled struct {
	id int64
	Demands
}

// required is what rulesets and protection demand together.
func (r *Repo) required(branch string) Demands {
	rules, protection := r.rules[branch], r.protection[branch]
	return Demands{Checks: slices.Concat(rules.Checks, protection.Checks), Approvals: max(rules.Approvals, protection.Approvals)}
}

// About is what a repository says of itself.
type About struct {
	Description string
	// License is an SPDX ID; empty for none.
	License  string
	Archived bool
}

// Describe sets what a repository says of itself.
func (s *Server) Describe(repo *Repo, about About) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo.about = about
}

// describe adds it to the repository as the API has it.
func (r *Repo) describe(o object) {
	o["description"], o["archived"] = orNull(r.about.Description), r.about.Archived
	if id := r.about.License; id != "" {
		o["license"] = object{"key": id, "name": id, "spdx_id": id, "url": nil, "node_id": "L_" + id}
	}
}

// listRules answers the rules in force on a branch, which need not exist
// (https://docs.github.com/rest/repos/rules#get-rules-for-a-branch).
func (s *Server) listRules(c *call) (answer, error) {
	rule, ruled := c.repo.rules[c.params["branch"]]
	var rules []object
	add := func(kind string, parameters object) {
		rules = append(rules, object{
			"type": kind, "parameters": parameters,
			"ruleset_source_type": "Repository", "ruleset_source": c.repo.FullName(), "ruleset_id": rule.id,
		})
	}
	if ruled && len(rule.Checks) > 0 {
		var checks []object
		for _, name := range rule.Checks {
			checks = append(checks, object{"context": name})
		}
		add("required_status_checks", object{"required_status_checks": checks, "strict_required_status_checks_policy": false})
	}
	if ruled {
		add("pull_request", object{
			"required_approving_review_count": rule.Approvals, "dismiss_stale_reviews_on_push": false, "require_code_owner_review": false,
			"require_last_push_approval": false, "required_review_thread_resolution": false,
		})
	}
	return paged(c, rules, func(o object) object { return o }), nil
}

// getBranch answers a branch. Of its protection it shows the checks to all
// (https://docs.github.com/rest/branches/branches#get-a-branch).
func (s *Server) getBranch(c *call) (answer, error) {
	name := c.params["branch"]
	tip := c.repo.objects.commits[c.repo.branches[name]]
	if tip == nil {
		return answer{}, problem(404, "Branch not found")
	}
	api, rule := s.api("repos", c.repo.Owner, c.repo.Name, "branches", name), c.repo.protection[name]
	_, classic := c.repo.protection[name]
	_, ruled := c.repo.rules[name]
	checks := mapped(rule.Checks, func(name string) object { return object{"context": name, "app_id": nil} })
	enforcement := "off"
	if classic && len(rule.Checks) > 0 {
		enforcement = "non_admins"
	}
	return ok(object{
		"name": name, "commit": s.commitJSON(c.repo, tip), "protected": classic || ruled,
		"_links":         object{"html": s.web(c.repo.Owner, c.repo.Name, "tree", name), "self": api},
		"protection_url": api + "/protection",
		"protection": object{"enabled": classic, "required_status_checks": object{
			"enforcement_level": enforcement, "contexts": append([]string{}, rule.Checks...), "checks": checks,
		}},
	}), nil
}

// SetMergeable says what GitHub has found of merging a pull request:
// "MERGEABLE", "CONFLICTING" or "UNKNOWN"; empty has the fake look for itself.
func (s *Server) SetMergeable(p *PullRequest, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.mergeable = state
}

// mergeability looks for files that both sides have changed since they parted.
// GitHub looks into the files, too.
func (p *PullRequest) mergeability() string {
	if p.mergeable != "" {
		return p.mergeable
	}
	objects, tip := p.Repo.objects, p.Repo.branches[p.BaseRef]
	base := objects.mergeBase(tip, p.headSHA)
	ours := map[string]string{}
	for _, d := range objects.diff(base, tip) {
		ours[d.path] = d.sha()
	}
	for _, d := range objects.diff(base, p.headSHA) {
		if sha, both := ours[d.path]; both && sha != d.sha() {
			return "CONFLICTING"
		}
	}
	return "MERGEABLE"
}

// opinions are the latest reviews of each author that say yes or no, oldest
// first.
func (p *PullRequest) opinions() []*pullReview {
	latest := map[string]*pullReview{}
	for _, r := range p.reviews {
		if slices.Contains([]string{"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}, r.State) {
			latest[r.Author] = r
		}
	}
	var out []*pullReview
	for _, r := range latest {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *pullReview) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// decision is what the reviews come to; empty where none are demanded.
func (p *PullRequest) decision() string {
	approvals, wanted := 0, p.Repo.required(p.BaseRef).Approvals
	for _, r := range p.opinions() {
		switch r.State {
		case "CHANGES_REQUESTED":
			if wanted > 0 {
				return "CHANGES_REQUESTED"
			}
		case "APPROVED":
			approvals++
		}
	}
	switch {
	case wanted == 0:
		return ""
	case approvals >= wanted:
		return "APPROVED"
	}
	return "REVIEW_REQUIRED"
}
