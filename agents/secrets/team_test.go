package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// base is review.Contents of the base.
type base map[string]string

func (b base) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := b[path]
	switch {
	case !ok || side != review.Base:
		return nil, review.ErrNotExist
	case text == "outage":
		return nil, errors.New("502")
	}
	return []byte(text), nil
}

func runIn(t testing.TB, change *review.Change, profile review.Profile) agents.Result {
	t.Helper()
	out, err := newAgent(t).Run(t.Context(), agents.Input{Change: change, Policy: review.Policy{Profile: profile}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTeamRules(t *testing.T) {
	const useDefault = "[extend]\nuseDefault = true\n"
	own := "[[rules]]\nid = \"Acme Key\"\ndescription = \"A key of Acme\"\nregex = '''acme-[0-9a-f]{16}'''\n"
	line := `a = "` + githubPAT + `"` + "\nb = \"acme-" + "0123456789abcdef\""
	tests := []struct {
		name  string
		files base
		want  string // rules found
		note  string
	}{
		{"none", base{}, "github-pat", ""},
		{"own rule beside the default", base{".gitleaks.toml": useDefault + own}, "acme-key github-pat", ""},
		{"own rule alone", base{".gitleaks.toml": own}, "acme-key", ""},
		{"own rule with a keyword", base{".gitleaks.toml": own + "keywords = [\"ACME\"]\n"}, "acme-key", ""},
		{"a rule turned off", base{".gitleaks.toml": useDefault + "disabledRules = [\"github-pat\"]\n" + own}, "acme-key", ""},
		{"allowed by path", base{".gitleaks.toml": useDefault + "[allowlist]\npaths = ['''^a\\.go$''']\n"}, "", ""},
		{"allow list without extend", base{".gitleaks.toml": "[allowlist]\npaths = ['''nothing''']\n"}, "github-pat", ""},
		{"allowed for one rule", base{".gitleaks.toml": useDefault + own + "[[allowlists]]\ntargetRules = [\"github-pat\"]\nregexes = ['''ghp_''']\n"}, "acme-key", ""},
		{"allowed in a rule", base{".gitleaks.toml": useDefault + "[[rules]]\nid = \"github-pat\"\n[[rules.allowlists]]\nregexes = ['''^gh''']\n"}, "", ""},
		{"allowed for commits only", base{".gitleaks.toml": useDefault + "[allowlist]\ncondition = \"AND\"\ncommits = [\"abc\"]\npaths = ['''a''']\n"}, "github-pat", ""},
		{"another file extended", base{".gitleaks.toml": "[extend]\npath = \"conf/base.toml\"\n", "conf/base.toml": own}, "acme-key", ""},
		{"ignored", base{".gitleaksignore": "# why\na.go:github-pat:3\n"}, "", ""},
		{"ignored on another line", base{".gitleaksignore": "a.go:github-pat:4\n"}, "github-pat", ""},
		{"ignored in this commit", base{".gitleaksignore": strings.Repeat("a", 40) + ":a.go:github-pat:3\n"}, "", ""},
		{"ignored in another commit", base{".gitleaksignore": strings.Repeat("b", 40) + ":a.go:github-pat:3\n"}, "github-pat", ""},

		{"no TOML", base{".gitleaks.toml": "["}, "github-pat", "no valid TOML"},
		{"bad pattern", base{".gitleaks.toml": useDefault + strings.Replace(own, "acme-", "(acme", 1)}, "github-pat", "does not compile"},
		{"huge pattern", base{".gitleaks.toml": useDefault + strings.Replace(own, "acme-[0-9a-f]{16}", "(((a{99}){99}){99}){99}", 1)}, "github-pat", "a pattern"},
		{"long pattern", base{".gitleaks.toml": useDefault + strings.Replace(own, "acme-", strings.Repeat("a", 5000), 1)}, "github-pat", "longer than 4096"},
		{"too many rules", base{".gitleaks.toml": strings.Repeat(own, 301)}, "github-pat", "more than 300 rules"},
		{"no id", base{".gitleaks.toml": "[[rules]]\nregex = \"a\"\n"}, "github-pat", "no id"},
		{"extends what is outside", base{".gitleaks.toml": "[extend]\npath = \"../x.toml\"\n"}, "github-pat", "outside of the repository"},
		{"extends itself", base{".gitleaks.toml": "[extend]\npath = \".gitleaks.toml\"\n"}, "github-pat", "too many files"},
		{"extends what is not there", base{".gitleaks.toml": "[extend]\npath = \"x.toml\"\n"}, "github-pat", "could not be read"},
		{"outage", base{".gitleaks.toml": "outage"}, "github-pat", "could not be read"},
		{"too large", base{".gitleaks.toml": strings.Repeat("#", 300<<10)}, "github-pat", "could not be read"},
		{"outage of the ignored", base{".gitleaksignore": "outage"}, "github-pat", ".gitleaksignore"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := runIn(t, &review.Change{Files: []review.File{added("a.go", 3, line)}, Contents: tt.files, Pull: review.Pull{HeadSHA: strings.Repeat("a", 40)}}, "")
			var got []string
			for _, f := range out.Findings {
				got = append(got, strings.TrimPrefix(f.Rule, "secrets/"))
				leaks(t, f, githubPAT)
				leaks(t, f, "0123456789abcdef")
			}
			if strings.Join(sorted(got), " ") != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			switch c := out.Coverage[0]; {
			case tt.note == "" && c.Level != review.Full && c.Level != review.NotApplicable:
				t.Errorf("coverage: %+v", c)
			case tt.note != "" && (c.Level != review.Partial || !strings.Contains(c.Reason, tt.note)):
				t.Errorf("coverage: %+v, want a note with %q", c, tt.note)
			}
		})
	}
}

func sorted(list []string) []string {
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

// TestHeadAllowsNothing holds that files of the head change no rules.
func TestHeadAllowsNothing(t *testing.T) {
	out := runIn(t, &review.Change{Files: []review.File{
		added("a.go", 1, githubPAT), added(".gitleaksignore", 1, "a.go:github-pat:1"), added(".gitleaks.toml", 1, "[allowlist]\npaths = ['''.*''']"),
	}, Contents: base{}}, "")
	if len(out.Findings) != 1 {
		t.Errorf("findings: %+v", out.Findings)
	}
}

func TestProfiles(t *testing.T) {
	files := []review.File{added("testdata/key.pem", 1, pem), added("a_test.go", 1, `password := "`+password+`"`), added("b_test.go", 1, githubPAT), added("go.pb.go", 1, `password := "`+password+`"`)}
	for profile, want := range map[review.Profile]int{"": 1, review.ProfileQuiet: 1, review.ProfileStandard: 4, review.ProfileStrict: 4} {
		if out := runIn(t, &review.Change{Files: files}, profile); len(out.Findings) != want {
			t.Errorf("profile %q: %d findings, want %d: %+v", profile, len(out.Findings), want, out.Findings)
		}
	}
}

// host is review.Host of commits.
type host struct {
	review.Host
	commits []review.Commit
	err     error
}

func (h host) Commits(context.Context) ([]review.Commit, error) { return h.commits, h.err }

func TestWords(t *testing.T) {
	change := &review.Change{
		Files: []review.File{added("a.go", 1, "x")},
		Pull:  review.Pull{Number: 1, Title: "Use " + githubPAT, Body: "line\nSTRIPE=" + stripe},
		Host:  host{commits: []review.Commit{{SHA: "0123456789abcdef", Message: "subject\n\ntoken " + awsKey}, {SHA: "ffff", Message: "clean"}}},
	}
	out := runIn(t, change, "")
	var got []string
	for _, f := range out.Findings {
		_, where, _ := strings.Cut(f.Message, "It stands in ")
		where, _, _ = strings.Cut(where, ",")
		got = append(got, fmt.Sprintf("%s %s %q %d %s", f.Rule, f.Severity, f.Path, f.StartLine, where))
		for _, s := range []string{githubPAT, stripe, awsKey} {
			leaks(t, f, s)
		}
	}
	want := []string{
		`secrets/github-pat critical "" 0 the title of the pull request`,
		`secrets/stripe-access-token critical "" 0 the description of the pull request`,
		`secrets/aws-access-token critical "" 0 the message of commit 0123456789`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	change.Host = host{err: fault.New(fault.Unauthorized, errors.New("403"))}
	if out := runIn(t, change, ""); len(out.Findings) != 2 {
		t.Errorf("commits that nobody may see: %+v", out.Findings)
	}
	change.Host = host{err: fault.New(fault.Transient, errors.New("502"))}
	found, err := newAgent(t).Run(t.Context(), agents.Input{Change: change})
	if fault.KindOf(err) != fault.Transient || len(found.Findings) != 2 || len(found.Coverage) != 1 {
		t.Errorf("an outage: %v, %+v", err, found)
	}
}

// FuzzTeamRules holds that no file of a team's crashes the agent.
func FuzzTeamRules(f *testing.F) {
	f.Add("[extend]\nuseDefault = true\n[[rules]]\nid = \"a\"\nregex = '''a(b)?'''\nsecretGroup = 1\nentropy = 1.5\n[[rules.allowlists]]\nstopwords=[\"x\"]\n", "x:y:1", "ab abab")
	f.Add("[[rules]]\nid='x'\npath='''.'''\n[[allowlists]]\ncondition='AND'\nregexTarget='line'\nregexes=['a']\n", "\n#", "a")
	f.Add("[extend]\npath='.gitleaks.toml'\n", strings.Repeat("a", 40)+":b:c:1", "\xff")
	agent := newAgent(f)
	f.Fuzz(func(t *testing.T, rules, ignored, text string) {
		change := &review.Change{Files: []review.File{added("a.go", 1, text)}, Contents: base{".gitleaks.toml": rules, ".gitleaksignore": ignored}}
		out, err := agent.Run(t.Context(), agents.Input{Change: change})
		if err != nil || len(out.Coverage) != 1 {
			t.Errorf("%v, %+v", err, out.Coverage)
		}
	})
}
