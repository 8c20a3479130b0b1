package strategy

// full is the vocabulary of a service that has all there is.
var full = Vocabulary{
	Agents: []string{"secrets", "workflows", "hygiene", "pull-request", "reviewer", "rules", "repo-health", "architect", "merge-readiness"},
	Kinds:  []string{KindLLM, KindFile},
	KindOf: map[string]string{"reviewer": KindLLM},
	Models: []string{"small"},
	Tools:  []string{"read_file", "search"},
	Rules:  []string{"secrets/private-key", "secrets/github-pat", "hygiene/large-file"},

	Breakers: []string{"github", "openai"}, Caches: []string{"content", "contents"},
}

// everyKey is a repository's file with every key there is.
const everyKey = `
version: 1
agents:
  careful:
    uses: llm
    model: small
    instructions: Look closely.
    tools: [read_file, search]
    budget: {tokens: 1000, steps: 3, time: 1m, usd: 0.5}
    options: {depth: 3, mode: deep, fast: true}
  api:
    uses: .github/agents/api.agent.md
  secrets:
    profile: strict
    severities: {private-key: critical, secrets/github-pat: off}
schedules: {nightly: 30 2 * * *, monthly: monthly}
rules:
  - {id: dba, when: 'files.exists(f, f.path.startsWith("db/"))', severity: high, message: Ask a DBA., fix: Ask., help_url: "https://example.com/dba"}
  - {id: no-print, added: 'print\(', paths: ["**/*.go"], severity: low, message: Log.}
paths: {ignore: ["vendor/**"]}
instructions:
  - {paths: ["api/**"], text: Problem documents.}
  - {text: Be kind.}
suppress:
  - {fingerprint: 1234567890123456, reason: a test, owner: "@a", until: 2027-01-31}
  - {rule: secrets/private-key, paths: ["testdata/**"], reason: tests, owner: "@b", until: 2026-01-01}
pipelines:
  review:
    description: All of it
    enabled: true
    on: [pull_request.opened, schedule.nightly, schedule.daily]
    when: '!pr.draft'
    stages: [[secrets, rules], [careful, api]]
    stop_on: critical
    timeout: 5m
    budget: {usd: 2}
    drafts: true
    labels: {require: [go], skip: [wip]}
    authors: {only: [a], skip: [b], bots: skip}
    branches: [main]
    title: {skip: [WIP]}
    paths: {only: ["**/*.go"], ignore: ["gen/**"]}
    gate:
      fail_on: low
      on_unavailable: {retry_for: 30m, then: fail}
      require_coverage: {paths: ["api/**"], percent: 95%}
    report: {comment: always, inline: high, max_inline: 3}
  ordered:
    strategy: sequential
    agents: [secrets, hygiene]
    stop_on: high
    gate: {on_unavailable: fail, require_coverage: 50}
  gone: {enabled: false}
  default: {agents: [hygiene]}
`

// everyOperatorKey is an operator's file with every key of the operator's.
const everyOperatorKey = `
version: 1
operator:
  lock: [pipelines.security, "pipelines.*.gate.fail_on"]
  endpoints:
    openai: {dialect: openai, url: "https://api.example.com/v1", key: OPENAI_API_KEY}
    local: {dialect: anthropic, url: "http://localhost:1234"}
  models:
    default: {endpoint: openai, model: gpt-5, input: 1.25, cached: 0.125, output: 10}
    big: {endpoint: local, model: "org/model:70b"}
  commands:
    lint: {run: [golangci-lint, run, --timeout, 5m]}
  max_budget: {tokens: 1000, steps: 5, time: 5m, usd: 1}
  breakers:
    github: {failure_threshold: 5, reset_timeout: 30s, max_reset_timeout: 10m}
  caches:
    content: {ttl: 10m, size: 100}
pipelines:
  security: {agents: [secrets]}
  review: {agents: [hygiene]}
`
