package ghapp

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

// branchRule is what is read of a rule of a ruleset
// (https://docs.github.com/rest/repos/rules#get-rules-for-a-branch).
type branchRule struct {
	Type       string `json:"type"`
	Parameters struct {
		Approvals int `json:"required_approving_review_count"`
		Checks    []struct {
			Context string `json:"context"`
		} `json:"required_status_checks"`
	} `json:"parameters"`
}

// branchState is what is read of a branch. All who may read the contents see
// the checks that its protection rule demands; the rest of the rule is for
// administrators
// (https://docs.github.com/rest/branches/branches#get-a-branch).
type branchState struct {
	Name       string `json:"name"`
	Protected  bool   `json:"protected"`
	Protection struct {
		Enabled bool `json:"enabled"`
		Checks  struct {
			Contexts []string `json:"contexts"`
		} `json:"required_status_checks"`
	} `json:"protection"`
}

func (r *Repository) readSetup(ctx context.Context) (review.Setup, error) {
	about, err := r.about(ctx)
	if err != nil {
		return review.Setup{}, err
	}
	s := review.Setup{
		Description: about.GetDescription(), DefaultBranch: about.GetDefaultBranch(), Archived: about.GetArchived(),
		License: about.GetLicense().GetSPDXID(),
	}
	if checkRef(s.DefaultBranch) != nil {
		s.Unknown = append(s.Unknown, "how the default branch is protected: GitHub names no default branch")
		return s, nil
	}
	if err := r.readRules(ctx, &s); err != nil {
		return review.Setup{}, err
	}
	if err := r.readProtection(ctx, &s); err != nil {
		return review.Setup{}, err
	}
	slices.Sort(s.RequiredChecks)
	s.RequiredChecks = slices.Compact(s.RequiredChecks)
	return s, nil
}

// readRules adds what rulesets demand of the default branch.
func (r *Repository) readRules(ctx context.Context, s *review.Setup) error {
	err := pages(ctx, func(ctx context.Context, page github.ListOptions) ([]branchRule, int, error) {
		path := r.path("rules/branches/%s?per_page=%d&page=%d", escapeRef(s.DefaultBranch), page.PerPage, page.Page)
		got, err := r.current(ctx, r.app.caches.answers, path, "", decodeRules)
		rules, _ := got.value.([]branchRule)
		return rules, got.next, err
	}, func(rules []branchRule) (bool, error) {
		for _, rule := range rules {
			s.Protected = true
			s.RequiredApprovals = max(s.RequiredApprovals, rule.Parameters.Approvals)
			for _, check := range rule.Parameters.Checks {
				s.RequiredChecks = append(s.RequiredChecks, check.Context)
			}
		}
		return true, nil
	})
	return withheld(err, "what rulesets demand", &s.Unknown)
}

func decodeRules(resp *github.Response) (any, int, error) {
	return decodeJSON(resp, func(rules []branchRule) error {
		if rules == nil {
			return errNoList
		}
		for _, rule := range rules {
			if rule.Type == "" {
				return incomplete("a rule without type")
			}
		}
		return nil
	})
}

// readProtection adds what the branch's own protection rule demands.
func (r *Repository) readProtection(ctx context.Context, s *review.Setup) error {
	got, err := r.current(ctx, r.app.caches.answers, r.path("branches/%s", escapeRef(s.DefaultBranch)), "", decodeBranch)
	if branch, ok := got.value.(*branchState); ok && err == nil {
		s.Protected = s.Protected || branch.Protected
		s.RequiredChecks = append(s.RequiredChecks, branch.Protection.Checks.Contexts...)
		if branch.Protection.Enabled {
			s.Unknown = append(s.Unknown, "how many approvals the branch protection rule demands: that takes administration: read, which is not asked for")
		}
	}
	return withheld(err, "whether a branch protection rule is in force", &s.Unknown)
}

func decodeBranch(resp *github.Response) (any, int, error) {
	return decodeJSON(resp, func(b *branchState) error {
		if b == nil || b.Name == "" {
			return incomplete("no branch")
		}
		return nil
	})
}

// withheld turns the error of what may not be read, or is not there, into a
// phrase. Any other stays an error: it will pass, or should be looked into.
func withheld(err error, what string, unknown *[]string) error {
	if kind := fault.KindOf(err); err == nil || is[*tokenError](err) || kind != fault.Unauthorized && kind != fault.Gone {
		return err
	}
	*unknown = append(*unknown, fmt.Sprintf("%s: %v", what, err))
	return nil
}
