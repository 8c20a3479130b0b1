package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Field is something that a condition can read.
type Field struct {
	// Name is as it is written in a condition: "pr.title", "files[].path".
	Name string
	// Type is CEL's word for its type: "string", "list(string)".
	Type string
	// What says what it holds.
	What string
}

// member is a field of one of our types. most is the largest size that its
// cost is estimated by: bytes of a text, entries of a list.
type member struct {
	name string
	typ  *cel.Type
	most uint64
	what string
}

// Sizes that costs are estimated by. The bodies and titles are GitHub's limits
// (65,536 characters, 256), so is the number of files
// (https://docs.github.com/rest/pulls/pulls#list-pull-requests-files: 3,000);
// of labels it allows 100. A path may be longer than estimated: what is spent
// is counted all the same.
const (
	mostFiles = 3000
	mostBody  = 65_536
	mostText  = 256
	mostList  = 100
)

// Names of our types.
const (
	pullType  = "pr"
	repoType  = "repo"
	actorType = "sender"
	eventType = "event"
	issueType = "issue"
	fileType  = "file"
)

var listOfTexts = cel.ListType(cel.StringType)

// members is the table of everything that conditions can read, by type.
var members = map[string][]member{
	pullType: {
		{"number", cel.IntType, 0, "its number; 0 for commits that no pull request is about"},
		{"title", cel.StringType, mostText, "its title"},
		{"body", cel.StringType, mostBody, "its description"},
		{"author", cel.StringType, mostText, "the author's login"},
		{"bot", cel.BoolType, 0, "the author is a bot"},
		{"draft", cel.BoolType, 0, "it is a draft"},
		{"closed", cel.BoolType, 0, "it is closed"},
		{"fork", cel.BoolType, 0, "its head is in another repository"},
		{"labels", listOfTexts, mostList, "the names of its labels"},
		{"base_ref", cel.StringType, mostText, "the branch that it goes to"},
		{"base_sha", cel.StringType, mostText, "the commit that it goes to"},
		{"head_ref", cel.StringType, mostText, "the branch that it comes from"},
		{"head_sha", cel.StringType, mostText, "its newest commit"},
	},
	repoType: {
		{"owner", cel.StringType, mostText, "the account that it belongs to"},
		{"name", cel.StringType, mostText, "its name"},
		{"full_name", cel.StringType, mostText, "owner/name"},
		{"default_branch", cel.StringType, mostText, "its default branch"},
		{"private", cel.BoolType, 0, "it is private"},
	},
	actorType: {
		{"login", cel.StringType, mostText, "who caused the event"},
		{"bot", cel.BoolType, 0, "it was a bot"},
	},
	eventType: {
		{"name", cel.StringType, mostText, `the event, as "pull_request.opened"`},
		{"label", cel.StringType, mostText, "the label that was put on or taken off"},
		{"edited", listOfTexts, mostList, `what was edited, of "title", "body" and "base"`},
		{"schedule", cel.StringType, mostText, "the name of the schedule that is due"},
		{"ref", cel.StringType, mostText, "the ref that was pushed to or queued"},
		{"issue", cel.ObjectType(issueType), 0, "the issue of an issues event"},
	},
	issueType: {
		{"number", cel.IntType, 0, "its number"},
		{"title", cel.StringType, mostText, "its title"},
		{"body", cel.StringType, mostBody, "its text"},
		{"author", cel.StringType, mostText, "the author's login"},
		{"bot", cel.BoolType, 0, "the author is a bot"},
		{"labels", listOfTexts, mostList, "the names of its labels"},
	},
	fileType: {
		{"path", cel.StringType, mostText, "its path; of a removed file the one it had"},
		{"old_path", cel.StringType, mostText, "the path before, where it was renamed or copied"},
		{"status", cel.StringType, mostText, "added, modified, removed, renamed or copied"},
		{"additions", cel.IntType, 0, "how many lines were added"},
		{"deletions", cel.IntType, 0, "how many lines were deleted"},
		{"mode", cel.StringType, mostText, `git's file mode, as "100644"`},
		{"binary", cel.BoolType, 0, "it has no text to show"},
	},
}

// variables are what a condition begins with, in the order of the docs.
var variables = []struct {
	name string
	typ  *cel.Type
	of   string // the type whose members it has
	mark string // what stands between the name and a member's
}{
	{"pr", cel.ObjectType(pullType), pullType, "."},
	{"files", cel.ListType(cel.ObjectType(fileType)), fileType, "[]."},
	{"repo", cel.ObjectType(repoType), repoType, "."},
	{"sender", cel.ObjectType(actorType), actorType, "."},
	{"event", cel.ObjectType(eventType), eventType, "."},
	{"event.issue", nil, issueType, "."},
}

// Fields lists all that a condition can read, for documentation.
func Fields() []Field {
	var fields []Field
	for _, v := range variables {
		for _, m := range members[v.of] {
			if m.typ.Kind() == types.StructKind {
				continue // its own members follow
			}
			fields = append(fields, Field{Name: v.name + v.mark + m.name, Type: m.typ.String(), What: m.what})
		}
	}
	return fields
}

// names are all words of ours that a condition may use.
func names() []string {
	var all []string
	seen := make(map[string]bool)
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	for _, v := range variables {
		if v.typ != nil {
			add(v.name)
		}
		for _, m := range members[v.of] {
			add(m.name)
		}
	}
	return all
}

// provider tells CEL of our types. Their values are plain maps, so nothing but
// the names and types of fields is asked of it.
type provider struct{ types.Provider }

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ours := members[name]; ours {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ours := members[name]
	if !ours {
		return p.Provider.FindStructFieldNames(name)
	}
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all, true
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	for _, f := range members[name] {
		if f.name == field {
			return &types.FieldType{Type: f.typ}, true
		}
	}
	return p.Provider.FindStructFieldType(name, field)
}
