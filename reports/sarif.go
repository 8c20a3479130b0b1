package reports

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"assay/review"
)

// SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html),
// as far as findings need it.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool            `json:"tool"`
		Automation  sarifAutomation      `json:"automationDetails"`
		Invocations []sarifInvocation    `json:"invocations"`
		Versions    []sarifVersion       `json:"versionControlProvenance,omitempty"`
		Roots       map[string]sarifRoot `json:"originalUriBaseIds"`
		ColumnKind  string               `json:"columnKind"`
		Results     []sarifResult        `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string              `json:"id"`
		Short      sarifText           `json:"shortDescription"`
		HelpURI    string              `json:"helpUri,omitempty"`
		Default    sarifConfiguration  `json:"defaultConfiguration"`
		Properties sarifRuleProperties `json:"properties"`
	}
	sarifRuleProperties struct {
		Tags []string `json:"tags"`
		// Security is how GitHub ranks rules that are tagged "security".
		Security string `json:"security-severity,omitempty"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifVersion struct {
		Repository string `json:"repositoryUri"`
		Revision   string `json:"revisionId,omitempty"`
		Branch     string `json:"branch,omitempty"`
	}
	sarifRoot struct {
		Description sarifText `json:"description"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
		Fixes        []sarifFix        `json:"fixes,omitempty"`
		Properties   sarifProperties   `json:"properties"`
	}
	sarifProperties struct {
		Severity review.Severity `json:"severity"`
		Category review.Category `json:"category,omitempty"`
		Agent    string          `json:"agent,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn,omitempty"`
		EndLine     int        `json:"endLine,omitempty"`
		EndColumn   int        `json:"endColumn,omitempty"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
	sarifFix struct {
		Changes []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted *sarifText  `json:"insertedContent,omitempty"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sourceRoot  = "%SRCROOT%"
	// fingerprintName names how IDs are made (review.Fingerprint); a change of
	// the way is a new name.
	fingerprintName = "assayFinding/v1"
)

// SARIF writes the run as a SARIF 2.1.0 log of at most MaxResults results.
func SARIF(w io.Writer, run review.Run, o Options) error {
	findings := Sorted(run.Findings)
	for i := range findings {
		findings[i].Rule = Visible(findings[i].Rule) // two rules must not become one in JSON
	}
	notes := notifications(run)
	if more := len(findings) - MaxResults; more > 0 {
		findings = findings[:MaxResults]
		notes = append(notes, note("warning", fmt.Sprintf("%d more findings are not in this log.", more)))
	}
	rules, index := sarifRules(findings)
	r := sarifRun{
		Tool:        sarifTool{Driver: sarifDriver{Name: "Assay", Version: o.Version, Rules: rules}},
		Automation:  sarifAutomation{ID: "assay/" + run.Pipeline + "/"},
		Invocations: []sarifInvocation{{Successful: run.Status == review.StatusDone && run.Outcome.Health == review.Complete, Notifications: notes}},
		Roots:       map[string]sarifRoot{sourceRoot: {Description: sarifText{"The root of the repository."}}},
		ColumnKind:  "utf16CodeUnits",
		Results:     make([]sarifResult, 0, len(findings)),
	}
	if repo := NewLinks(o.GitHubURL, run).Repo(); repo != "" {
		r.Versions = []sarifVersion{{Repository: repo, Revision: run.Pull.HeadSHA, Branch: run.Pull.HeadRef}}
	}
	for _, f := range findings {
		r.Results = append(r.Results, sarifResultOf(f, index[f.Rule]))
	}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{r}})
}

// notifications say what the run is missing.
func notifications(run review.Run) []sarifNotification {
	var notes []sarifNotification
	for _, a := range unavailable(run.Agents) {
		notes = append(notes, note("error", because("Agent "+a.Name+" gave no result", a.Reason)))
	}
	if run.Truncated != "" {
		notes = append(notes, note("warning", because("The change was not read whole", run.Truncated)))
	}
	for _, p := range run.Problems {
		notes = append(notes, note("warning", fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Message)))
	}
	return notes
}

func note(level, text string) sarifNotification {
	return sarifNotification{Level: level, Message: sarifText{Visible(text)}}
}

// sarifRules lists the findings' rules by ID, each with the level of its most
// severe finding, and where each stands in the list.
func sarifRules(findings []review.Finding) ([]sarifRule, map[string]int) {
	rules := []sarifRule{}
	seen := make(map[string]bool)
	for _, f := range findings { // most severe first
		if seen[f.Rule] {
			continue
		}
		seen[f.Rule] = true
		rule := sarifRule{
			ID: f.Rule, Short: sarifText{ruleWords(f.Rule)},
			Default:    sarifConfiguration{sarifLevel(f.Severity)},
			Properties: sarifRuleProperties{Tags: []string{}},
		}
		if _, ok := HelpHost(f.HelpURL); ok {
			rule.HelpURI = f.HelpURL
		}
		if f.Category != "" {
			rule.Properties.Tags = []string{string(f.Category)}
		}
		if f.Category == review.Security {
			rule.Properties.Security = securitySeverity(f.Severity)
		}
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, func(a, b sarifRule) int { return strings.Compare(a.ID, b.ID) })
	index := make(map[string]int, len(rules))
	for i, r := range rules {
		index[r.ID] = i
	}
	return rules, index
}

// ruleWords is a rule's ID as words: "github pat (secrets)".
func ruleWords(id string) string {
	agent, rule, ok := strings.Cut(id, "/")
	if !ok {
		agent, rule = "", id
	}
	words := strings.NewReplacer("-", " ", "_", " ").Replace(Visible(rule))
	if agent == "" {
		return words
	}
	return words + " (" + Visible(agent) + ")"
}

func sarifResultOf(f review.Finding, ruleIndex int) sarifResult {
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: ruleIndex, Level: sarifLevel(f.Severity), Message: sarifText{message(f.Message)},
		Properties: sarifProperties{Severity: f.Severity, Category: f.Category, Agent: f.Agent},
	}
	if f.ID != "" {
		r.Fingerprints = map[string]string{fingerprintName: f.ID}
	}
	if f.Path == "" {
		return r
	}
	artifact := sarifArtifact{URI: sarifPath(f.Path), Base: sourceRoot}
	region := sarifRegion{StartLine: max(f.StartLine, 1)}
	region.EndLine = max(f.EndLine, region.StartLine)
	place := sarifPhysical{Artifact: artifact, Region: region}
	if _, first := Numbered(f); first > 0 {
		place.Region.Snippet = &sarifText{f.Evidence}
	}
	r.Locations = []sarifLocation{{place}}
	if f.Fix != nil && f.StartLine > 0 {
		r.Fixes = []sarifFix{{[]sarifChange{{artifact, []sarifReplacement{replacement(region, f.Fix.Replacement)}}}}}
	}
	return r
}

// replacement replaces whole lines. A region of lines leaves out the last
// line's end, so that deleting lines takes a region up to the next line.
func replacement(lines sarifRegion, text string) sarifReplacement {
	if text == "" {
		return sarifReplacement{Deleted: sarifRegion{StartLine: lines.StartLine, StartColumn: 1, EndLine: lines.EndLine + 1, EndColumn: 1}}
	}
	return sarifReplacement{Deleted: lines, Inserted: &sarifText{text}}
}

// sarifPath is a path as a relative URI reference. A colon in its first
// segment would make that a scheme.
func sarifPath(path string) string {
	segments := strings.Split(strings.ToValidUTF8(path, "\uFFFD"), "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
	}
	return strings.Join(segments, "/")
}

func sarifLevel(s review.Severity) string {
	switch {
	case s >= review.High:
		return "error"
	case s == review.Medium:
		return "warning"
	default:
		return "note"
	}
}

// securitySeverity is the middle of GitHub's band for a severity
// (https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#reportingdescriptor-object).
func securitySeverity(s review.Severity) string {
	switch s {
	case review.Critical:
		return "9.5"
	case review.High:
		return "8.0"
	case review.Medium:
		return "5.5"
	case review.Low:
		return "2.0"
	default:
		return "0.0"
	}
}
