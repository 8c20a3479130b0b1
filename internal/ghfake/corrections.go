package ghfake

import (
	"errors"

	"github.com/getkin/kin-openapi/openapi3"
)

// correct mends the description in the few places where it is known to be
// narrower than GitHub itself. A place that is gone is an error: the correction
// may not be needed any more.
func correct(doc *openapi3.T) error {
	return errors.Join(correctLabelNames(doc), correctLabelDescription(doc), correctInstallations(doc), correctReplies(doc))
}

// "Add labels" takes a bare list of names as well: it is what go-github sends,
// and the description said so for years.
func correctLabelNames(doc *openapi3.T) error {
	labels := doc.Paths.Value("/repos/{owner}/{repo}/issues/{issue_number}/labels")
	if labels == nil || labels.Post == nil {
		return errors.New("there is no operation to add labels")
	}
	schema := labels.Post.RequestBody.Value.Content["application/json"].Schema.Value
	schema.OneOf = append(schema.OneOf, openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema()).NewRef())
	return nil
}

// A label without a description has null, as the schema of a label itself says;
// the copy of it inside a listed pull request forgets that.
func correctLabelDescription(doc *openapi3.T) error {
	labels := doc.Components.Schemas["pull-request-simple"].Value.Properties["labels"]
	if labels == nil || labels.Value.Items.Value.Properties["description"] == nil {
		return errors.New("listed pull requests have no described labels")
	}
	labels.Value.Items.Value.Properties["description"].Value.Nullable = true
	return nil
}

// A listed installation is an installation. The Octokit edition has a copy in
// its place whose account must be a user and an enterprise at once.
func correctInstallations(doc *openapi3.T) error {
	list := doc.Paths.Value("/app/installations")
	if list == nil || list.Get == nil {
		return errors.New("there is no operation to list installations")
	}
	list.Get.Responses.Status(200).Value.Content["application/json"].Schema.Value.Items = doc.Components.Schemas["installation"]
	return nil
}

// With in_reply_to every other parameter but the body is ignored, prose says,
// and so need not be there: go-github answers in threads this way.
func correctReplies(doc *openapi3.T) error {
	comments := doc.Paths.Value("/repos/{owner}/{repo}/pulls/{pull_number}/comments")
	if comments == nil || comments.Post == nil {
		return errors.New("there is no operation to create a review comment")
	}
	schema := comments.Post.RequestBody.Value.Content["application/json"].Schema.Value
	reply, fresh := openapi3.NewObjectSchema(), openapi3.NewObjectSchema()
	reply.Required, fresh.Required = []string{"in_reply_to"}, []string{"commit_id", "path"}
	schema.Required = []string{"body"}
	schema.AnyOf = openapi3.SchemaRefs{reply.NewRef(), fresh.NewRef()}
	return nil
}
