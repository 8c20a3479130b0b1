package reviewer

import (
	"regexp"
	"strings"
)

// withheld stands for words to the reviewer.
const withheld = "[words to the reviewer left out]"

// orders are the forms of words that are meant for a model that reads a change.
// What they match is kept from it: code that needs such words to be understood
// is rare, and a model that does not read them cannot obey. No list of forms is
// complete; what else stands is fenced, and what comes of it is checked.
var orders = regexp.MustCompile(`(?i)` + strings.Join([]string{
	// Instructions that others are to be forgotten.
	`\b(?:ignore|disregard|forget|override|bypass|skip)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|your|the|system)\b[^.\n]{0,30}\b(?:instructions?|prompts?|rules|guidelines|directions)\b[^\n]*`,
	// A part to play.
	`\byou are (?:now |no longer )?(?:an? |the )?(?:\w+ ){0,3}(?:assistant|reviewer|ai|llm|chatbot|language model|dan)\b[^\n]*`,
	`\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt|rules)\s*:[^\n]*`,
	`\battention\b,?\s+(?:ai|llm|automated)\b[^\n]*`,
	`\b(?:attention|note|message|instructions?|reminder|important)\b,?\s+(?:to|for)\s+(?:the |any |all )?(?:\w+ ){0,2}(?:ai|llm|assistants?|reviewers?|review bots?|bots?|agents?|models?)\b[^\n]*`,
	`\b(?:ai|llm|automated)[ -](?:reviewers?|assistants?|agents?|models?)\b\s*[:,][^\n]*`,
	// What to answer.
	`\b(?:respond|reply|answer|output|say|print|write)\s+(?:only\s+|exactly\s+|just\s+|with\s+|this\s*)+[:=]?\s*["{'` + "`" + `][^\n]*`,
	`\b(?:respond|reply|answer|output|say|print|write)\s*[:=]?\s*"?\{\s*"(?:findings|examined|verdicts?|verdict)"[^\n]*`,
	`\b(?:report|return|emit|raise|give|list|make|find)\s+(?:no|zero|nothing but|an empty list of)\s+(?:findings?|issues?|problems?|bugs?|vulnerabilit\w+)\b[^\n]*`,
	`\bfind nothing\b[^\n]*`, `\bno issues\b[^\n]*`, `\bdo(?: not|n't) (?:report|flag|mention|review|raise)\b[^\n]*`,
	`\b(?:approve|accept|lgtm|merge|pass) (?:this|the|my) (?:pull request|pr|change|commit|patch|code|diff)\b[^\n]*`,
	`\b(?:set|make|change|give|mark)\s+(?:the\s+|all\s+|every\s+|this\s+|each\s+)*(?:verdicts?|severity|severities|category|confidence|conclusion|findings?|path|quote|claim|why|reason|replacement|gate|model|budget|config|target|examined)\s+(?:to|as|=)[^\n]*`,
	`\b(?:mark|treat|regard|consider)\s+(?:the |all |every |this |each )*(?:findings?|issues?|files?|change|code)\s+(?:as\s+)?(?:refuted|resolved|safe|reviewed|false|approved|trusted)\b[^\n]*`,
	// What to tell and do.
	`\b(?:reveal|print|repeat|include|leak|send|output|show|dump|exfiltrate|post|paste|encode)\b[^.\n]{0,60}\b(?:system prompt|instructions|secrets?|keys?|tokens?|environment|credentials?|everything above|passwords?)\b[^\n]*`,
	`\bcall\s+(?:the\s+)?(?:tool\s+)?[a-z_][a-z0-9_]*\s+with\s+\{[^\n]*`,
	// Marks of turns and of tools, which only a transcript has.
	`<\|?/?(?:im_start|im_end|system|assistant|endoftext|tool_result|tool_use|function_results?|start_header_id|end_header_id|eot_id)\b[^>\n]*\|?>[^\n]*`,
	`\[/?INST\][^\n]*`, `<</?SYS>>[^\n]*`, `(?m)^[\s/#*>-]*(?:system|assistant|human|user)\s*:(?:[ \t]+\S+){3}[^\n]*`,
	`(?:<<<|>>>)\s*/?(?:data|end)\b[^\n]*|\b[A-Za-z0-9]{0,40}\s*data>>>[^\n]*`,
}, `|`))

// withhold takes words to the reviewer out of text. It never joins or parts
// lines.
func withhold(text string) (rest string, found bool) {
	if !orders.MatchString(text) {
		return text, false
	}
	return orders.ReplaceAllString(text, withheld), true
}

// brazen are the orders that nobody writes who does not mean a reviewer. Code
// about models and prompts has others, so only these are findings.
var brazen = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`\b(?:ignore|disregard|forget|override)\b[^.\n]{0,20}\b(?:previous|prior|above|earlier|preceding|your|system)\b[^.\n]{0,20}\b(?:instructions?|prompts?|rules|guidelines)\b`,
	`\battention\b,?\s+(?:ai|llm|automated)\b`,
	`\b(?:attention|note|message|instructions?)\b,?\s+(?:to|for)\s+(?:the |any |all )?(?:\w+ ){0,2}(?:ai|llm|automated)[ -]?(?:assistants?|reviewers?|review bots?|agents?|models?)?\b`,
	`\b(?:report|emit|raise)\s+no\s+(?:findings|issues|problems)\b`,
	`\b(?:reveal|print|repeat|leak|send|dump|exfiltrate)\b[^.\n]{0,40}\b(?:system prompt|everything above|your (?:instructions|secrets|keys|tokens|environment|credentials))\b`,
	`\bcall\s+(?:the\s+)?tool\s+[a-z_]+\s+with\s+\{`,
	`\b(?:respond|reply|answer)\s+(?:only|exactly)\s+(?:with\s+)?\{`,
	`\bset\s+(?:the\s+)?(?:verdict|conclusion)\s+to\b`,
}, `|`))

// addresses reports whether a line, as it is seen, gives orders to a reviewer.
func addresses(line string) bool { return brazen.MatchString(line) }
