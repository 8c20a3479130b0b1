package ghapp

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"assay/internal/fault"
	"assay/review"
)

const (
	mergeableUnknown = "UNKNOWN"
	// maxRounds bounds the queries for one pull request: 500 checks and as many
	// threads.
	maxRounds = 5
)

// readinessQuery asks for all that GraphQL alone knows. That each check says
// whether it is required spares administration: read.
const readinessQuery = `query Readiness($owner: String!, $name: String!, $number: Int!, $checks: String, $threads: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid
      mergeable
      reviewDecision
      latestOpinionatedReviews(first: 100) {
        pageInfo { hasNextPage }
        nodes { state author { __typename login } }
      }
      reviewThreads(first: 100, after: $threads) {
        pageInfo { hasNextPage endCursor }
        nodes { isResolved }
      }
      baseRef { refUpdateRule { requiredStatusCheckContexts } }
      commits(last: 1) {
        nodes {
          commit {
            statusCheckRollup {
              contexts(first: 100, after: $checks) {
                pageInfo { hasNextPage endCursor }
                nodes {
                  __typename
                  ... on CheckRun {
                    name status conclusion detailsUrl
                    isRequired(pullRequestNumber: $number)
                    checkSuite { app { databaseId } }
                  }
                  ... on StatusContext {
                    context state targetUrl
                    isRequired(pullRequestNumber: $number)
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}`

type pageInfo struct {
	HasNextPage bool
	EndCursor   *string
}

// graphActor is an account. GraphQL leaves the "[bot]" off the logins of apps,
// which the REST API and webhooks have.
type graphActor struct {
	Type  string `json:"__typename"`
	Login string
}

func (a *graphActor) actor() review.Actor {
	switch {
	case a == nil || a.Login == "":
		return review.Actor{Login: "ghost"}
	case a.Type == "Bot":
		return review.Actor{Login: a.Login + "[bot]", Bot: true}
	}
	return review.Actor{Login: a.Login}
}

// readinessAnswer is what readinessQuery is answered. Pointers are nil where
// GitHub keeps something back.
type readinessAnswer struct {
	Repository *struct {
		PullRequest *readinessPull
	}
}

type readinessPull struct {
	HeadRefOid     string
	Mergeable      string
	ReviewDecision string
	Reviews        *struct {
		PageInfo pageInfo
		Nodes    []*struct {
			State  string
			Author *graphActor
		}
	} `json:"latestOpinionatedReviews"`
	ReviewThreads *struct {
		PageInfo pageInfo
		Nodes    []*struct{ IsResolved bool }
	}
	BaseRef *struct {
		RefUpdateRule *struct {
			RequiredStatusCheckContexts []string
		}
	}
	Commits *struct {
		Nodes []*struct {
			Commit *struct {
				StatusCheckRollup *struct {
					Contexts *struct {
						PageInfo pageInfo
						Nodes    []*checkNode
					}
				}
			}
		}
	}
}

// checkNode is a check run or a commit status.
type checkNode struct {
	Type       string `json:"__typename"`
	IsRequired bool

	Name, Status, Conclusion, DetailsURL string
	CheckSuite                           *struct{ App *struct{ DatabaseID int64 } }

	Context, State, TargetURL string
}

// readReadiness asks GraphQL once, again only where a page is not enough, and
// the REST API for what GraphQL does not know: where the branches parted.
func (h *host) readReadiness(ctx context.Context) (review.Readiness, error) {
	got := review.Readiness{Mergeable: mergeableUnknown, Behind: -1}
	err := h.askReadiness(ctx, h.repo.with(ForReadiness), &got)
	if refusesPermissions(err) {
		got = review.Readiness{Mergeable: mergeableUnknown, Behind: -1, Unknown: []string{"commit statuses: the installation has not granted statuses: read"}}
		err = h.askReadiness(ctx, h.repo.with(ForReadiness&^ReadStatuses), &got)
	}
	if err == nil {
		err = h.readDistance(ctx, &got)
	}
	return got, err
}

// with is the repository with other permissions.
func (r *Repository) with(p Permissions) *Repository {
	return r.app.Repository(r.key.installation, r.repo, p)
}

// refusesPermissions knows GitHub's refusal of a token with permissions that
// the installation has not granted.
func refusesPermissions(err error) bool {
	return is[*tokenError](err) && hasStatus(err, http.StatusUnprocessableEntity) && fault.KindOf(err) == fault.Unauthorized
}

func (h *host) askReadiness(ctx context.Context, r *Repository, got *review.Readiness) error {
	variables := map[string]any{"owner": r.repo.Owner, "name": r.repo.Name, "number": h.pull.Number}
	for round := 1; ; round++ {
		var answer readinessAnswer
		left, err := r.query(ctx, readinessQuery, variables, &answer)
		if err != nil {
			return err
		}
		if answer.Repository == nil || answer.Repository.PullRequest == nil {
			return left.failure("pull request")
		}
		p := answer.Repository.PullRequest
		if p.HeadRefOid != h.pull.HeadSHA {
			return fault.New(fault.Transient, fmt.Errorf("%w from %s to %s", review.ErrHeadMoved, h.pull.HeadSHA, p.HeadRefOid))
		}
		if round == 1 {
			p.describe(got)
			got.Unknown = append(got.Unknown, left.phrases()...)
		}
		more := h.addThreads(p, got, variables)
		more = h.addChecks(p, got, variables) || more
		switch {
		case !more:
			p.addMissing(got)
			return nil
		case round == maxRounds:
			got.Unknown = append(got.Unknown, fmt.Sprintf("checks and conversations: there are more than the %d of either that were read", maxRounds*pageSize))
			return nil
		}
	}
}

// phrases say what an answer leaves out: one phrase for each field, however
// many entries of it there are.
func (es graphErrors) phrases() []string {
	var all []string
	for _, e := range es {
		phrase := fmt.Sprintf("%s: %s", e.where(), e.Message)
		if !slices.Contains(all, phrase) {
			all = append(all, phrase)
		}
	}
	return all
}

// describe reads what does not come in pages.
func (p *readinessPull) describe(got *review.Readiness) {
	got.ReviewDecision = p.ReviewDecision
	if p.Mergeable != "" {
		got.Mergeable = p.Mergeable
	}
	if p.Reviews == nil {
		return
	}
	for _, r := range p.Reviews.Nodes {
		switch {
		case r == nil:
		case r.State == "APPROVED":
			got.Approvals = append(got.Approvals, r.Author.actor().Login)
		case r.State == "CHANGES_REQUESTED":
			got.ChangesRequested = append(got.ChangesRequested, r.Author.actor().Login)
		}
	}
	if p.Reviews.PageInfo.HasNextPage {
		got.Unknown = append(got.Unknown, fmt.Sprintf("reviews: there are more than the %d that were read", pageSize))
	}
}

// next notes where a list goes on, and reports whether it does.
func (i pageInfo) next(variables map[string]any, name string) bool {
	if i.EndCursor != nil {
		variables[name] = *i.EndCursor
	}
	return i.HasNextPage && i.EndCursor != nil
}

func (h *host) addThreads(p *readinessPull, got *review.Readiness, variables map[string]any) (more bool) {
	if p.ReviewThreads == nil {
		return false
	}
	for _, t := range p.ReviewThreads.Nodes {
		if t != nil && !t.IsResolved {
			got.Unresolved++
		}
	}
	return p.ReviewThreads.PageInfo.next(variables, "threads")
}

// addChecks adds what ran on the head. Checks of one name are all kept: two
// workflows may have a job of that name, and one may have failed.
func (h *host) addChecks(p *readinessPull, got *review.Readiness, variables map[string]any) (more bool) {
	if p.Commits == nil || len(p.Commits.Nodes) == 0 || p.Commits.Nodes[0] == nil || p.Commits.Nodes[0].Commit == nil {
		return false
	}
	rollup := p.Commits.Nodes[0].Commit.StatusCheckRollup
	if rollup == nil || rollup.Contexts == nil {
		return false // nothing ran, or what did is kept back
	}
	for _, n := range rollup.Contexts.Nodes {
		if n != nil {
			got.Checks = append(got.Checks, n.state(h.repo.app.id))
		}
	}
	return rollup.Contexts.PageInfo.next(variables, "checks")
}

// addMissing adds checks that the base's protection demands, and that nobody
// has begun.
func (p *readinessPull) addMissing(got *review.Readiness) {
	if p.BaseRef == nil || p.BaseRef.RefUpdateRule == nil {
		return
	}
	for _, name := range p.BaseRef.RefUpdateRule.RequiredStatusCheckContexts {
		if !slices.ContainsFunc(got.Checks, func(c review.CheckState) bool { return c.Name == name }) {
			got.Checks = append(got.Checks, review.CheckState{Name: name, State: "pending", Required: true})
		}
	}
}

func (n *checkNode) state(app int64) review.CheckState {
	if n.Type == "StatusContext" {
		return review.CheckState{Name: n.Context, State: statusState(n.State), Required: n.IsRequired, URL: n.TargetURL}
	}
	s := review.CheckState{Name: n.Name, State: checkState(n.Status, n.Conclusion), Required: n.IsRequired, URL: n.DetailsURL}
	s.Ours = n.CheckSuite != nil && n.CheckSuite.App != nil && n.CheckSuite.App.DatabaseID == app
	return s
}

func checkState(status, conclusion string) string {
	if status != "COMPLETED" {
		return "pending"
	}
	switch conclusion {
	case "SUCCESS":
		return "success"
	case "SKIPPED":
		return "skipped"
	case "NEUTRAL":
		return "neutral"
	case "CANCELLED":
		return "cancelled"
	}
	return "failure" // timed out, stale, waits for an action, and what is yet to be invented
}

func statusState(state string) string {
	switch state {
	case "SUCCESS":
		return "success"
	case "PENDING", "EXPECTED":
		return "pending"
	}
	return "failure"
}

// readDistance reads how far the base has gone on since the head left it.
func (h *host) readDistance(ctx context.Context, got *review.Readiness) error {
	if checkRef(h.pull.BaseRef) != nil {
		got.Unknown = append(got.Unknown, "how far it is behind its base: the base is not known")
		return nil
	}
	answer, err := h.repo.compare(ctx, h.pull.BaseRef, h.pull.HeadSHA, "per_page=1&page=2")
	if err != nil {
		return withheld(err, "how far it is behind its base", &got.Unknown)
	}
	got.Behind = answer.GetBehindBy()
	got.BaseDate = answer.GetMergeBaseCommit().GetCommit().GetCommitter().GetDate().Time
	return nil
}
