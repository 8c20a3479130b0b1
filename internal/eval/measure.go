package eval

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"time"

	"assay/agents"
	"assay/internal/checkout"
	"assay/review"
)

// Result is what a measurement came to.
type Result struct {
	Repositories int `json:"repositories"`
	// Commits were reviewed; Skipped were left out as too large.
	Commits int `json:"commits"`
	Skipped int `json:"skipped"`
	// Files and Added are the files and the added lines of the commits.
	Files int `json:"files"`
	Added int `json:"added"`
	// Hit is how many commits have a finding.
	Hit      int     `json:"hit"`
	Findings int     `json:"findings"`
	Rules    []Rule  `json:"rules"`
	Agents   []Agent `json:"agents"`
	// Sample is for people to judge, by rule and then by chance.
	Sample []Sample `json:"sample,omitempty"`
}

// Per100 is n for each 100 commits.
func (r *Result) Per100(n int) float64 {
	if r.Commits == 0 {
		return 0
	}
	return 100 * float64(n) / float64(r.Commits)
}

// Per1000 is n for each 1,000 added lines.
func (r *Result) Per1000(n int) float64 {
	if r.Added == 0 {
		return 0
	}
	return 1000 * float64(n) / float64(r.Added)
}

// Rule is what one rule came to.
type Rule struct {
	ID       string `json:"id"`
	Findings int    `json:"findings"`
	// Commits are those with such a finding.
	Commits int `json:"commits"`
}

// Agent is what one agent cost, in time on the clock; nanoseconds in JSON.
type Agent struct {
	Name  string        `json:"name"`
	Total time.Duration `json:"total"`
	Worst time.Duration `json:"worst"`
	// Unavailable is on how many commits it did not answer, with one reason.
	Unavailable int    `json:"unavailable"`
	Reason      string `json:"reason,omitempty"`
}

// Sample is a finding as it is put before a person.
type Sample struct {
	// ID is made from repository, commit and finding: a judgement keeps to it.
	ID       string `json:"id"`
	Repo     string `json:"repo"`
	Commit   string `json:"commit"`
	Subject  string `json:"subject"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Location string `json:"location"`
	Message  string `json:"message"`
	Evidence string `json:"evidence,omitempty"`
}

// measure gathers a Result.
type measure struct {
	cfg      Config
	policies map[string]review.Policy
	out      Result
	rules    map[string]*Rule
	agents   map[string]*Agent
	samples  map[string][]ranked
}

// ranked is a sample with its place in the draw.
type ranked struct {
	rank uint64
	Sample
}

func newMeasure(cfg Config) *measure {
	m := &measure{
		cfg: cfg, policies: make(map[string]review.Policy),
		rules: make(map[string]*Rule), agents: make(map[string]*Agent), samples: make(map[string][]ranked),
	}
	for _, a := range cfg.Agents {
		m.policies[a.Name()] = cfg.Policy
	}
	return m
}

func (m *measure) add(repo string, c checkout.Commit, change *review.Change, out agents.Outcome) {
	m.out.Commits++
	m.out.Files += len(change.Files)
	added, _ := change.Size()
	m.out.Added += added
	m.out.Findings += len(out.Findings)
	if len(out.Findings) > 0 {
		m.out.Hit++
	}
	seen := make(map[string]bool)
	for _, f := range out.Findings {
		rule := entry(m.rules, f.Rule)
		rule.Findings++
		if !seen[f.Rule] {
			seen[f.Rule] = true
			rule.Commits++
		}
		m.draw(repo, c, f)
	}
	for _, a := range out.Agents {
		agent := entry(m.agents, a.Name)
		agent.Total += a.Duration()
		agent.Worst = max(agent.Worst, a.Duration())
		if a.Status != review.AgentDone {
			agent.Unavailable++
			agent.Reason = a.Reason
		}
	}
}

func entry[V any](m map[string]*V, key string) *V {
	if m[key] == nil {
		m[key] = new(V)
	}
	return m[key]
}

// draw keeps the finding if it is among the first of its rule in the order
// that the seed gives.
func (m *measure) draw(repo string, c checkout.Commit, f review.Finding) {
	if m.cfg.SamplePerRule <= 0 {
		return
	}
	h := fnv.New64a()
	fmt.Fprint(h, m.cfg.Seed, "\x00", repo, "\x00", c.SHA, "\x00", f.ID)
	s := Sample{
		ID: fmt.Sprintf("%s/%.12s/%s", repo, c.SHA, f.ID), Repo: repo, Commit: c.SHA, Subject: c.Subject, Rule: f.Rule,
		Severity: f.Severity.String(), Location: f.Location(), Message: f.Message, Evidence: f.Evidence,
	}
	list := append(m.samples[f.Rule], ranked{h.Sum64(), s})
	slices.SortFunc(list, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.ID, b.ID)) })
	m.samples[f.Rule] = list[:min(len(list), m.cfg.SamplePerRule)]
}

func (m *measure) result() *Result {
	out := m.out
	for id, r := range m.rules {
		r.ID = id
		out.Rules = append(out.Rules, *r)
	}
	slices.SortFunc(out.Rules, func(a, b Rule) int { return cmp.Or(b.Findings-a.Findings, cmp.Compare(a.ID, b.ID)) })
	for _, name := range slices.Sorted(maps.Keys(m.agents)) {
		m.agents[name].Name = name
		out.Agents = append(out.Agents, *m.agents[name])
	}
	for _, id := range slices.Sorted(maps.Keys(m.samples)) {
		for _, r := range m.samples[id] {
			out.Sample = append(out.Sample, r.Sample)
		}
	}
	return &out
}

// Interval is the share of right ones among n with its 95 % confidence interval
// (Wilson's score, which holds for small n and shares near 1).
func Interval(right, n int) (share, low, high float64) {
	if n == 0 {
		return 0, 0, 1
	}
	const z = 1.96
	p, size := float64(right)/float64(n), float64(n)
	middle := p + z*z/(2*size)
	spread := z * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return p, (middle - spread) / scale, (middle + spread) / scale
}
