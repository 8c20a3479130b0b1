package ghfake

// needs of the mutations. That resolving wants to write contents is GitHub's
// own surprise (https://github.com/orgs/community/discussions/44650).
var (
	resolveNeeds  = []permission{{"contents", write}}
	minimizeNeeds = pullsWrite
)

func (s *Server) graphMutation(c *call) graphNode {
	return graphNode{
		"__typename":            "Mutation",
		"resolveReviewThread":   graphFunc(func(args map[string]any) (any, error) { return s.setResolved(c, args, c.caller.app.BotLogin()) }),
		"unresolveReviewThread": graphFunc(func(args map[string]any) (any, error) { return s.setResolved(c, args, "") }),
		"minimizeComment":       graphFunc(func(args map[string]any) (any, error) { return s.minimize(c, args) }),
	}
}

func inputOf(args map[string]any, name string) string {
	input, _ := args["input"].(map[string]any)
	value, _ := input[name].(string)
	return value
}

func (s *Server) setResolved(c *call, args map[string]any, by string) (any, error) {
	id := inputOf(args, "threadId")
	for _, m := range s.reviewed {
		if m.InReplyTo != 0 || nodeID("PRRT", m.ID) != id || !c.caller.token.reaches(m.pull.Repo) {
			continue
		}
		if !c.caller.token.allows(resolveNeeds) || !c.caller.token.allows(pullsWrite) {
			return nil, graphForbidden()
		}
		s.resolve(m, by, c.caller.app.BotLogin())
		return graphNode{"__typename": "ResolveReviewThreadPayload", "thread": s.graphThread(m)}, nil
	}
	return nil, graphMissing("Could not resolve to a node with the global id of '%s'", id)
}

// minimize folds a comment away, on the page or on lines.
func (s *Server) minimize(c *call, args map[string]any) (any, error) {
	id, classifier := inputOf(args, "subjectId"), inputOf(args, "classifier")
	minimized := func(repo *Repo, reason *string, typename string) (any, error) {
		if !c.caller.token.allows(minimizeNeeds) || !c.caller.token.reaches(repo) {
			return nil, graphForbidden()
		}
		*reason = classifier
		return graphNode{"__typename": "MinimizeCommentPayload", "minimizedComment": graphNode{"__typename": typename, "id": id, "isMinimized": true}}, nil
	}
	for _, m := range s.comments {
		if nodeID("IC", m.ID) == id {
			return minimized(m.pull.Repo, &m.Minimized, "IssueComment")
		}
	}
	for _, m := range s.reviewed {
		if nodeID("PRRC", m.ID) == id {
			return minimized(m.pull.Repo, &m.Minimized, "PullRequestReviewComment")
		}
	}
	return nil, graphMissing("Could not resolve to a node with the global id of '%s'", id)
}
