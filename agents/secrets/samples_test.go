package secrets_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"assay/agents"
	"assay/agents/secrets"
	"assay/review"
)

var samples = flag.String("samples", "", "a `FILE` of samples with what gitleaks finds in them, as scripts/eval-secrets makes it")

// minRecall is the least share of what gitleaks' own engine finds among its own
// labelled samples that ours has to find.
const minRecall = 0.999

// TestSamples compares the agent with gitleaks' engine; make eval-secrets.
func TestSamples(t *testing.T) {
	if *samples == "" {
		t.Skip("no -samples; make eval-secrets makes them")
	}
	all := readSamples(t)
	agent := newAgent(t)
	for _, profile := range []review.Profile{review.ProfileQuiet, review.ProfileStrict} {
		var ours, theirs, same, both, total, oursFalse, theirsFalse, negatives int
		missed := make(map[string]int)
		for _, s := range all {
			found := rulesIn(t, agent, profile, s)
			if !s.Secret {
				negatives++
				oursFalse += one(len(found) > 0)
				theirsFalse += one(len(s.Theirs) > 0)
				continue
			}
			total++
			ours += one(len(found) > 0)
			same += one(slices.Contains(found, secrets.Name+"/"+s.Rule))
			theirs += one(len(s.Theirs) > 0)
			both += one(len(s.Theirs) > 0 && len(found) > 0)
			if len(s.Theirs) > 0 && len(found) == 0 {
				missed[s.Rule]++
			}
		}
		t.Logf("%s: of %d secrets ours finds %d (%d by the rule they were made for), gitleaks %d, ours of its %.3f %%", profile, total, ours, same, theirs, 100*float64(both)/float64(theirs))
		t.Logf("%s: of %d look-alikes ours takes %d for secrets, gitleaks %d", profile, negatives, oursFalse, theirsFalse)
		t.Logf("%s: not found: %v", profile, missed)
		if total < 5000 || negatives < 300 {
			t.Errorf("only %d and %d samples", total, negatives)
		}
		if float64(both) < minRecall*float64(theirs) {
			t.Errorf("%s: recall is %d of %d, want at least %.1f %%", profile, both, theirs, 100*minRecall)
		}
		if oursFalse > theirsFalse {
			t.Errorf("%s: %d false alarms, gitleaks has %d", profile, oursFalse, theirsFalse)
		}
	}
}

type labelled struct {
	Rule, Path, Text string
	Secret           bool
	Theirs           []string
}

func readSamples(t *testing.T) []labelled {
	t.Helper()
	file, err := os.Open(*samples)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []labelled
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var s labelled
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// rulesIn are the rules of what the agent finds in the sample.
func rulesIn(t *testing.T, agent *secrets.Agent, profile review.Profile, s labelled) []string {
	t.Helper()
	path := s.Path
	if path == "" {
		path = "config"
	}
	out, err := agent.Run(t.Context(), agents.Input{Change: &review.Change{Files: []review.File{added(path, 1, s.Text)}}, Policy: review.Policy{Profile: profile}})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range out.Findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
