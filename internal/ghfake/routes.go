package ghfake

import "net/http"

// route is one operation of the API. The template is the key of the operation
// in GitHub's description, so that the two are joined by name.
type route struct {
	method   string
	template string
	auth     authKind
	// needs are the permissions of which the token must have one.
	needs []permission
	// creates marks requests that make content which people are notified of;
	// they have limits of their own.
	creates bool
	handle  func(*Server, *call) (answer, error)
}

// authKind says who may call an operation.
type authKind int

const (
	asInstallation authKind = iota // with an installation token
	asApp                          // with the app's JSON web token
	asAnyone                       // with either, or with nothing
)

var (
	metadataRead   = []permission{{"metadata", read}}
	contentsRead   = []permission{{"contents", read}}
	checksRead     = []permission{{"checks", read}}
	checksWrite    = []permission{{"checks", write}}
	pullsRead      = []permission{{"pull_requests", read}}
	pullsWrite     = []permission{{"pull_requests", write}}
	statusesRead   = []permission{{"statuses", read}}
	statusesWrite  = []permission{{"statuses", write}}
	discussesRead  = []permission{{"issues", read}, {"pull_requests", read}}
	discussesWrite = []permission{{"issues", write}, {"pull_requests", write}}
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	edit = http.MethodPatch
	del  = http.MethodDelete
)

// routes are the operations the fake knows. Where two templates match one path,
// the one with more literal segments wins.
func routes() []route {
	return []route{
		{get, "/app", asApp, nil, false, (*Server).getApp},
		{get, "/app/installations", asApp, nil, false, (*Server).listInstallations},
		{get, "/app/installations/{installation_id}", asApp, nil, false, (*Server).getInstallation},
		{post, "/app/installations/{installation_id}/access_tokens", asApp, nil, false, (*Server).createToken},
		{get, "/app/hook/config", asApp, nil, false, (*Server).getHookConfig},
		{edit, "/app/hook/config", asApp, nil, false, (*Server).updateHookConfig},
		{get, "/app/hook/deliveries", asApp, nil, false, (*Server).listDeliveries},
		{get, "/app/hook/deliveries/{delivery_id}", asApp, nil, false, (*Server).getDelivery},
		{post, "/app/hook/deliveries/{delivery_id}/attempts", asApp, nil, false, (*Server).redeliver},
		{get, "/repos/{owner}/{repo}/installation", asApp, nil, false, (*Server).getRepoInstallation},
		{get, "/orgs/{org}/installation", asApp, nil, false, (*Server).getOrgInstallation},

		{get, "/installation/repositories", asInstallation, metadataRead, false, (*Server).listInstallationRepos},
		{del, "/installation/token", asInstallation, nil, false, (*Server).revokeToken},
		{get, "/rate_limit", asAnyone, nil, false, (*Server).getRateLimit},
		{get, "/users/{username}", asAnyone, nil, false, (*Server).getUser},

		{get, "/repos/{owner}/{repo}", asInstallation, metadataRead, false, (*Server).getRepo},
		{get, "/repos/{owner}/{repo}/collaborators/{username}/permission", asInstallation, metadataRead, false, (*Server).getPermission},
		{get, "/repos/{owner}/{repo}/labels", asInstallation, discussesRead, false, (*Server).listRepoLabels},
		{get, "/repos/{owner}/{repo}/contents/{path:.+}", asInstallation, contentsRead, false, (*Server).getContents},
		{get, "/repos/{owner}/{repo}/compare/{basehead:.+}", asInstallation, contentsRead, false, (*Server).compare},
		{get, "/repos/{owner}/{repo}/commits/{ref}", asInstallation, contentsRead, false, (*Server).getCommit},
		{get, "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", asInstallation, pullsRead, false, (*Server).listCommitPulls},
		{get, "/repos/{owner}/{repo}/git/ref/{ref:.+}", asInstallation, contentsRead, false, (*Server).getRef},
		{get, "/repos/{owner}/{repo}/git/commits/{commit_sha}", asInstallation, contentsRead, false, (*Server).getGitCommit},
		{get, "/repos/{owner}/{repo}/git/trees/{tree_sha}", asInstallation, contentsRead, false, (*Server).getTree},
		{get, "/repos/{owner}/{repo}/git/blobs/{file_sha}", asInstallation, contentsRead, false, (*Server).getBlob},
		{get, "/repos/{owner}/{repo}/branches/{branch:.+}", asInstallation, contentsRead, false, (*Server).getBranch},
		{get, "/repos/{owner}/{repo}/rules/branches/{branch:.+}", asInstallation, metadataRead, false, (*Server).listRules},
		{post, "/repos/{owner}/{repo}/statuses/{sha}", asInstallation, statusesWrite, false, (*Server).createStatus},

		{get, "/repos/{owner}/{repo}/pulls", asInstallation, pullsRead, false, (*Server).listPulls},
		{get, "/repos/{owner}/{repo}/pulls/{pull_number}", asInstallation, pullsRead, false, (*Server).getPull},
		{edit, "/repos/{owner}/{repo}/pulls/{pull_number}", asInstallation, pullsWrite, false, (*Server).updatePull},
		{get, "/repos/{owner}/{repo}/pulls/{pull_number}/files", asInstallation, pullsRead, false, (*Server).listPullFiles},
		{get, "/repos/{owner}/{repo}/pulls/{pull_number}/commits", asInstallation, pullsRead, false, (*Server).listPullCommits},

		{post, "/repos/{owner}/{repo}/check-runs", asInstallation, checksWrite, false, (*Server).createCheckRun},
		{get, "/repos/{owner}/{repo}/check-runs/{check_run_id}", asInstallation, checksRead, false, (*Server).getCheckRun},
		{edit, "/repos/{owner}/{repo}/check-runs/{check_run_id}", asInstallation, checksWrite, false, (*Server).updateCheckRun},
		{get, "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", asInstallation, checksRead, false, (*Server).listAnnotations},
		{post, "/repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest", asInstallation, checksWrite, false, (*Server).rerequestCheckRun},
		{post, "/repos/{owner}/{repo}/check-suites", asInstallation, checksWrite, false, (*Server).createCheckSuite},
		{get, "/repos/{owner}/{repo}/check-suites/{check_suite_id}", asInstallation, checksRead, false, (*Server).getCheckSuite},
		{get, "/repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs", asInstallation, checksRead, false, (*Server).listSuiteCheckRuns},
		{post, "/repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest", asInstallation, checksWrite, false, (*Server).rerequestCheckSuite},
		{get, "/repos/{owner}/{repo}/commits/{ref:.+}/check-runs", asInstallation, checksRead, false, (*Server).listCheckRuns},
		{get, "/repos/{owner}/{repo}/commits/{ref:.+}/check-suites", asInstallation, checksRead, false, (*Server).listCheckSuites},

		{get, "/repos/{owner}/{repo}/issues/{issue_number}/comments", asInstallation, discussesRead, false, (*Server).listComments},
		{post, "/repos/{owner}/{repo}/issues/{issue_number}/comments", asInstallation, discussesWrite, true, (*Server).createComment},
		{get, "/repos/{owner}/{repo}/issues/comments/{comment_id}", asInstallation, discussesRead, false, (*Server).getComment},
		{edit, "/repos/{owner}/{repo}/issues/comments/{comment_id}", asInstallation, discussesWrite, false, (*Server).updateComment},
		{del, "/repos/{owner}/{repo}/issues/comments/{comment_id}", asInstallation, discussesWrite, false, (*Server).deleteComment},
		{get, "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", asInstallation, discussesRead, false, (*Server).listReactions},
		{post, "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", asInstallation, discussesWrite, true, (*Server).createReaction},
		{get, "/repos/{owner}/{repo}/issues/{issue_number}/labels", asInstallation, discussesRead, false, (*Server).listLabels},
		{post, "/repos/{owner}/{repo}/issues/{issue_number}/labels", asInstallation, discussesWrite, false, (*Server).addLabels},
		{del, "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", asInstallation, discussesWrite, false, (*Server).removeLabel},

		{get, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", asInstallation, pullsRead, false, (*Server).listReviews},
		{post, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", asInstallation, pullsWrite, true, (*Server).createReview},
		{get, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", asInstallation, pullsRead, false, (*Server).getReview},
		{put, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", asInstallation, pullsWrite, false, (*Server).updateReview},
		{del, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", asInstallation, pullsWrite, false, (*Server).deleteReview},
		{post, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events", asInstallation, pullsWrite, true, (*Server).submitReview},
		{put, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals", asInstallation, pullsWrite, false, (*Server).dismissReview},
		{get, "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments", asInstallation, pullsRead, false, (*Server).listCommentsOfReview},
		{get, "/repos/{owner}/{repo}/pulls/{pull_number}/comments", asInstallation, pullsRead, false, (*Server).listReviewComments},
		{post, "/repos/{owner}/{repo}/pulls/{pull_number}/comments", asInstallation, pullsWrite, true, (*Server).createReviewComment},
		{post, "/repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies", asInstallation, pullsWrite, true, (*Server).replyReviewComment},
		{get, "/repos/{owner}/{repo}/pulls/comments/{comment_id}", asInstallation, pullsRead, false, (*Server).getReviewComment},
		{edit, "/repos/{owner}/{repo}/pulls/comments/{comment_id}", asInstallation, pullsWrite, false, (*Server).updateReviewComment},
		{del, "/repos/{owner}/{repo}/pulls/comments/{comment_id}", asInstallation, pullsWrite, false, (*Server).deleteReviewComment},
	}
}
