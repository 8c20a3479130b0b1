package reviewer

import "assay/internal/llm"

// answer is what a model says of a unit.
type answer struct {
	Examined []string `json:"examined"`
	Findings []claim  `json:"findings"`
}

// claim is a finding as a model makes it. It is a stranger's word.
type claim struct {
	Path       string  `json:"path"`
	Quote      string  `json:"quote"`
	Line       int     `json:"line"`
	Claim      string  `json:"claim"`
	Why        string  `json:"why"`
	Fails      string  `json:"how_to_see_it_fail"`
	Severity   string  `json:"severity"`
	Category   string  `json:"category"`
	Confidence string  `json:"confidence"`
	Fix        *string `json:"replacement"`
}

// verdicts is what the second look says.
type verdicts struct {
	Verdicts []struct {
		Finding int    `json:"finding"`
		Verdict string `json:"verdict"`
		Reason  string `json:"reason"`
	} `json:"verdicts"`
}

const answerDoc = `{
	"type": "object", "additionalProperties": false, "required": ["examined", "findings"],
	"properties": {
		"examined": {"type": "array", "items": {"type": "string"}},
		"findings": {"type": "array", "items": {
			"type": "object", "additionalProperties": false,
			"required": ["path", "quote", "line", "claim", "why", "how_to_see_it_fail", "severity", "category", "confidence", "replacement"],
			"properties": {
				"path": {"type": "string"}, "quote": {"type": "string"}, "line": {"type": "integer"},
				"claim": {"type": "string"}, "why": {"type": "string"}, "how_to_see_it_fail": {"type": "string"},
				"severity": {"type": "string", "enum": ["critical", "high", "medium", "low"]},
				"category": {"type": "string", "enum": ["correctness", "security", "data-loss", "concurrency", "api-misuse", "tests"]},
				"confidence": {"type": "string", "enum": ["high", "medium", "low"]},
				"replacement": {"type": ["string", "null"]}
			}
		}}
	}
}`

const verdictsDoc = `{
	"type": "object", "additionalProperties": false, "required": ["verdicts"],
	"properties": {
		"verdicts": {"type": "array", "items": {
			"type": "object", "additionalProperties": false, "required": ["finding", "verdict", "reason"],
			"properties": {
				"finding": {"type": "integer"},
				"verdict": {"type": "string", "enum": ["stands", "unsure", "refuted"]},
				"reason": {"type": "string"}
			}
		}}
	}
}`

var (
	answerSchema   = llm.MustSchema("review", answerDoc)
	verdictsSchema = llm.MustSchema("verdicts", verdictsDoc)
)
