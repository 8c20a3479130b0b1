package expr

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"assay/review"
)

// Vars are the values that conditions read: pr, repo, sender, files and event.
// They are safe for concurrent use.
type Vars struct {
	values map[string]any
	// files turns the changed files into CEL's values when a condition first
	// asks for them: most never do, and there may be thousands.
	files func() any
}

// ForEvent are the values of an event. files are the changed files as far as
// they are known. Without a pull request pr is empty: its texts are "", its
// lists have no entries.
func ForEvent(ev review.Event, files []review.File) *Vars {
	return newVars(ev, files)
}

// ForChange are the values of a change, for conditions that are asked of it
// wherever it came from: sender is empty, and so is event but for its issue.
func ForChange(c *review.Change) *Vars {
	return newVars(review.Event{Repo: c.Repo, Pull: &c.Pull, Issue: c.Issue}, c.Files)
}

func newVars(ev review.Event, files []review.File) *Vars {
	var pull review.Pull
	if ev.Pull != nil {
		pull = *ev.Pull
	}
	return &Vars{
		values: map[string]any{
			"pr":     pullValue(pull),
			"repo":   repoValue(ev.Repo),
			"sender": actorValue(ev.Sender),
			"event":  eventValue(ev),
		},
		files: sync.OnceValue(func() any { return filesValue(files) }),
	}
}

// ResolveName implements cel.Activation.
func (v *Vars) ResolveName(name string) (any, bool) {
	if name == "files" {
		return v.files(), true
	}
	value, ok := v.values[name]
	return value, ok
}

// Parent implements cel.Activation.
func (*Vars) Parent() cel.Activation { return nil }

func pullValue(p review.Pull) map[string]any {
	return map[string]any{
		"number": p.Number, "title": p.Title, "body": p.Body, "author": p.Author.Login, "bot": p.Author.Bot,
		"draft": p.Draft, "closed": p.Closed, "fork": p.Fork, "labels": texts(p.Labels),
		"base_ref": p.BaseRef, "base_sha": p.BaseSHA, "head_ref": p.HeadRef, "head_sha": p.HeadSHA,
	}
}

func repoValue(r review.Repo) map[string]any {
	return map[string]any{
		"owner": r.Owner, "name": r.Name, "full_name": r.String(), "default_branch": r.DefaultBranch, "private": r.Private,
	}
}

func actorValue(a review.Actor) map[string]any {
	return map[string]any{"login": a.Login, "bot": a.Bot}
}

func eventValue(ev review.Event) map[string]any {
	ref := ""
	if ev.Commits != nil {
		ref = ev.Commits.Ref
	}
	return map[string]any{
		"name": ev.String(), "label": ev.Label, "edited": texts(ev.Edited), "schedule": ev.Schedule, "ref": ref,
		"issue": issueValue(ev.Issue),
	}
}

func issueValue(i *review.Issue) map[string]any {
	if i == nil {
		i = &review.Issue{}
	}
	return map[string]any{
		"number": i.Number, "title": i.Title, "body": i.Body, "author": i.Author.Login, "bot": i.Author.Bot, "labels": texts(i.Labels),
	}
}

func filesValue(files []review.File) any {
	list := make([]ref.Val, len(files))
	for i, f := range files {
		list[i] = types.DefaultTypeAdapter.NativeToValue(map[string]any{
			"path": f.Path, "old_path": f.OldPath, "status": string(f.Status), "mode": f.Mode,
			"additions": f.Additions, "deletions": f.Deletions, "binary": f.Binary,
		})
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}

// texts is never nil: CEL would see null.
func texts(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
