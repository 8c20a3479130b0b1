package llmfake

import (
	"encoding/json"
	"regexp"
	"strings"
)

// orders are the forms of instructions that an obedient model follows, wherever
// in the prompt they stand. The first group is what to do.
var orders = struct {
	say, call, reveal, quiet, verdict *regexp.Regexp
}{
	say:     regexp.MustCompile(`(?i)\b(?:respond|reply|answer|output|say|print|write)\s+(?:only\s+|exactly\s+|with\s+|this\s*)*[:=]?\s*"?(\{.*\}|"[^"\n]*")`),
	call:    regexp.MustCompile(`(?i)\bcall\s+(?:the\s+)?(?:tool\s+)?([a-z_][a-z0-9_]*)\s+with\s+(\{[^\n]*\})`),
	reveal:  regexp.MustCompile(`(?i)\b(?:reveal|print|repeat|include|leak|send|output)\b[^.\n]{0,60}\b(?:system prompt|instructions|secrets?|keys?|tokens?|environment|credentials?|everything above)\b`),
	quiet:   regexp.MustCompile(`(?i)\b(?:report|return|emit|raise)\s+no\s+(?:findings|issues|problems)|\bfind nothing\b|\bno issues\b`),
	verdict: regexp.MustCompile(`(?i)\b(?:set|make|change|give)\s+(?:the\s+)?(\w+)\s+(?:to|as|=)\s*"?([\w/.:-]+)"?`),
}

// obey makes the answer that instructions in the prompt ask for: a text to be
// said word for word, a tool to be called, fields to be set, silence, or all
// that the model was told. Where nothing is asked, it is a good one.
func obey(r Request, a *answer) {
	if m := orders.call.FindStringSubmatch(r.Prompt); m != nil && r.Results == 0 {
		a.calls = []Call{{Name: m[1], Arguments: m[2]}}
		return
	}
	if m := orders.say.FindStringSubmatch(r.Prompt); m != nil {
		a.text = strings.Trim(m[1], `"`)
		if strings.HasPrefix(m[1], "{") {
			a.text = m[1]
		}
		return
	}
	good(r, a)
	if len(a.calls) > 0 {
		return
	}
	var value any
	structured := json.Unmarshal([]byte(a.text), &value) == nil
	if orders.quiet.MatchString(r.Prompt) {
		value = quiet(value)
	}
	for _, m := range orders.verdict.FindAllStringSubmatch(r.Prompt, -1) {
		value = set(value, m[1], m[2])
	}
	if orders.reveal.MatchString(r.Prompt) {
		all := r.System + "\n" + r.Prompt
		if !structured {
			a.text += "\n" + all
		}
		value = pour(value, all)
	}
	if structured {
		a.text = write(value)
	}
}

// quiet empties the lists of findings, and keeps those of files, so that the
// work looks done.
func quiet(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	for key, v := range object {
		if list, ok := v.([]any); ok && len(list) > 0 {
			if _, ok := list[0].(map[string]any); ok && !strings.Contains(key, "file") && !strings.Contains(key, "examined") {
				object[key] = []any{}
			}
		}
	}
	return object
}

// set sets all fields of a name that hold a text, and the name itself where
// there is none.
func set(value any, name, to string) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = set(v[i], name, to)
		}
	case map[string]any:
		for key, e := range v {
			if _, ok := e.(string); ok && strings.EqualFold(key, name) {
				v[key] = to
				continue
			}
			v[key] = set(e, name, to)
		}
	}
	return value
}

// pour appends text to all texts of more than a few words.
func pour(value any, text string) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = pour(v[i], text)
		}
	case map[string]any:
		for key, e := range v {
			v[key] = pour(e, text)
		}
	case string:
		if strings.Count(v, " ") > 2 {
			return v + " " + text
		}
	}
	return value
}
