package ghfake

import (
	"slices"
	"strings"
)

func (s *Server) graphQuery(c *call) graphNode {
	return graphNode{"__typename": "Query", "repository": graphFunc(func(args map[string]any) (any, error) {
		owner, _ := args["owner"].(string)
		name, _ := args["name"].(string)
		r := s.repos[strings.ToLower(owner+"/"+name)]
		if r == nil || !c.caller.token.reaches(r) {
			return nil, graphMissing("Could not resolve to a Repository with the name '%s/%s'.", owner, name)
		}
		return s.graphRepo(c, r), nil
	})}
}

func (s *Server) graphRepo(c *call, r *Repo) graphNode {
	return graphNode{
		"__typename": "Repository", "id": nodeID("R", r.ID), "databaseId": r.ID, "name": r.Name, "nameWithOwner": r.FullName(),
		"pullRequest": graphFunc(func(args map[string]any) (any, error) {
			number, _ := intArg(args, "number")
			if !c.caller.token.allows(pullsRead) {
				return nil, graphForbidden()
			}
			p := r.pull(number)
			if p == nil {
				return nil, graphMissing("Could not resolve to a PullRequest with the number of %d.", number)
			}
			return s.graphPull(c, p), nil
		}),
	}
}

func (s *Server) graphPull(c *call, p *PullRequest) graphNode {
	state := strings.ToUpper(p.state)
	if !p.merged.IsZero() {
		state = "MERGED"
	}
	var threads []any
	for _, root := range s.threadsOf(p) {
		threads = append(threads, s.graphThread(root))
	}
	var reviews []any
	for _, r := range p.opinions() {
		reviews = append(reviews, graphNode{"__typename": "PullRequestReview", "id": nodeID("PRR", r.ID), "databaseId": r.ID, "state": r.State, "body": r.Body, "author": s.graphActor(r.Author)})
	}
	commit := graphNode{"__typename": "PullRequestCommit", "id": "PRC_" + p.headSHA, "commit": s.graphCommit(c, p)}
	return graphNode{
		"__typename": "PullRequest", "id": nodeID("PR", p.ID), "databaseId": p.ID, "number": p.Number, "title": p.title, "body": p.body,
		"state": state, "isDraft": p.draft, "merged": !p.merged.IsZero(), "headRefOid": p.headSHA, "headRefName": p.HeadRef,
		"baseRefOid": p.baseSHA, "baseRefName": p.BaseRef, "author": s.graphActor(p.Author),
		"mergeable": p.mergeability(), "reviewDecision": orNull(p.decision()),
		"latestOpinionatedReviews": connection("PullRequestReviewConnection", reviews),
		"reviewThreads":            connection("PullRequestReviewThreadConnection", threads),
		"commits":                  connection("PullRequestCommitConnection", []any{commit}),
		"baseRef":                  s.graphRef(p),
	}
}

// graphActor is an account. GraphQL has the logins of apps without "[bot]".
func (s *Server) graphActor(login string) any {
	if login == "" {
		return nil
	}
	u := s.user(login)
	return graphNode{"__typename": u.kind, "login": strings.TrimSuffix(u.login, "[bot]"), "id": nodeID("U", u.id), "databaseId": u.id, "url": s.web(u.login)}
}

// graphRef is the base branch with what all may know of its protection.
func (s *Server) graphRef(p *PullRequest) any {
	if _, exists := p.Repo.branches[p.BaseRef]; !exists {
		return nil
	}
	ref := graphNode{"__typename": "Ref", "name": p.BaseRef, "refUpdateRule": nil}
	if rule, protected := p.Repo.protection[p.BaseRef]; protected {
		checks := []any{}
		for _, name := range rule.Checks {
			checks = append(checks, name)
		}
		ref["refUpdateRule"] = graphNode{
			"__typename": "RefUpdateRule", "pattern": p.BaseRef, "requiredApprovingReviewCount": rule.Approvals, "requiredStatusCheckContexts": checks,
		}
	}
	return ref
}

// graphCommit is the head with its checks. What the token may not see of them
// is kept back one by one.
func (s *Server) graphCommit(c *call, p *PullRequest) graphNode {
	var contexts []any
	for _, run := range latestRuns(s.runsAt(p.Repo, p.headSHA)) {
		if !c.caller.token.allows(checksRead) {
			contexts = append(contexts, graphForbidden())
			continue
		}
		contexts = append(contexts, s.graphRun(run, p))
	}
	for _, status := range s.statuses[commitKey{p.Repo.ID, p.headSHA}] {
		if !c.caller.token.allows(statusesRead) {
			contexts = append(contexts, graphForbidden())
			continue
		}
		contexts = append(contexts, graphNode{
			"__typename": "StatusContext", "context": status.Context, "state": strings.ToUpper(status.State), "targetUrl": orNull(status.URL),
			"isRequired": requiredFor(p, status.Context),
		})
	}
	commit := graphNode{"__typename": "Commit", "oid": p.headSHA, "id": "C_" + p.headSHA, "statusCheckRollup": nil}
	if len(contexts) > 0 {
		commit["statusCheckRollup"] = graphNode{"__typename": "StatusCheckRollup", "contexts": connection("StatusCheckRollupContextConnection", contexts)}
	}
	return commit
}

func (s *Server) graphRun(r *checkRun, p *PullRequest) graphNode {
	return graphNode{
		"__typename": "CheckRun", "id": nodeID("CR", r.ID), "databaseId": r.ID, "name": r.Name, "status": strings.ToUpper(r.Status),
		"conclusion": orNull(strings.ToUpper(r.Conclusion)), "detailsUrl": orNull(r.DetailsURL), "isRequired": requiredFor(p, r.Name),
		"checkSuite": graphNode{"__typename": "CheckSuite", "id": nodeID("CS", r.suite.id), "databaseId": r.suite.id, "app": graphNode{
			"__typename": "App", "id": nodeID("A", r.app.ID), "databaseId": r.app.ID, "slug": r.app.Slug, "name": r.app.Name,
		}},
	}
}

// requiredFor answers whether a check must succeed before a pull request is
// merged; GitHub wants to know which.
func requiredFor(p *PullRequest, name string) graphFunc {
	return func(args map[string]any) (any, error) {
		if number, _ := intArg(args, "pullRequestNumber"); number != p.Number {
			return nil, &graphRefusal{"UNPROCESSABLE", "A pull request ID or pull request number is required."}
		}
		return slices.Contains(p.Repo.required(p.BaseRef).Checks, name), nil
	}
}

func (s *Server) graphThread(root *reviewComment) graphNode {
	_, fits := root.now()
	var comments []any
	for _, m := range s.reviewCommentsOf(root.pull) {
		if m == root || m.InReplyTo == root.ID {
			comments = append(comments, graphNode{
				"__typename": "PullRequestReviewComment", "id": nodeID("PRRC", m.ID), "databaseId": m.ID, "body": m.Body,
				"author": s.graphActor(m.Author), "isMinimized": m.Minimized != "", "minimizedReason": orNull(strings.ToLower(m.Minimized)), "path": m.Path,
			})
		}
	}
	line, start := orNull(root.Line), orNull(root.StartLine)
	if !fits {
		line, start = nil, nil
	}
	var by any
	if root.resolvedBy != "" && !strings.HasSuffix(root.resolvedBy, "[bot]") {
		by = s.graphActor(root.resolvedBy) // a User: apps are none
	}
	return graphNode{
		"__typename": "PullRequestReviewThread", "id": nodeID("PRRT", root.ID), "isResolved": root.resolvedBy != "", "isOutdated": !fits && !root.wholly,
		"path": root.Path, "line": line, "startLine": start, "resolvedBy": by,
		"comments": connection("PullRequestReviewCommentConnection", comments),
	}
}
