package llm

import (
	"net/url"
	"strings"
	"sync"
)

// form is how a structured answer is asked for. An endpoint is asked in the
// first of its dialect's forms, and in the next when it does not understand.
type form int

const (
	formSchema form = iota // natively, by its JSON schema
	formObject             // natively as any JSON object; the schema is in the prompt
	formTool               // as the arguments of a tool that must be called
	formPrompt             // in words alone
	formLast   = formPrompt
)

// ways are how an endpoint is spoken to. Which of them it understands cannot be
// known from its name, and is learned from what it refuses.
type ways struct {
	form form
	// guessed says that the form was not asked for by any word of the refusal.
	guessed bool
	// maxTokens bounds the answer by max_tokens, not max_completion_tokens; flipped
	// says that the other was refused.
	maxTokens, flipped bool
	noTemperature      bool
	// noUsage leaves stream_options out.
	noUsage bool
}

// learned remembers ways that work.
type learned struct {
	mu    sync.Mutex
	base  ways
	forms map[string]form // by schema: one too deep for an endpoint says nothing of others
	// noObject says that the dialect has no form between schema and tool.
	noObject bool
	known    map[string]bool // the form has worked
}

func (l *learned) init(p *provider) {
	l.forms, l.known = make(map[string]form), make(map[string]bool)
	l.base.maxTokens = !newTokensField(p.base)
	l.noObject = p.dialect == Anthropic
}

// newTokensField reports whether an OpenAI endpoint wants max_completion_tokens:
// OpenAI and Azure do, the compatible ones mostly know only max_tokens
// (https://platform.openai.com/docs/api-reference/chat/create).
func newTokensField(base *url.URL) bool {
	return base.Hostname() == "api.openai.com" || isAzure(base)
}

func (l *learned) ways(s *Schema) ways {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.base
	if s != nil {
		w.form = l.forms[s.name]
	}
	return w
}

// works notes that a request went through.
func (l *learned) works(s *Schema, w ways) {
	l.mu.Lock()
	defer l.mu.Unlock()
	form := w.form
	w.form, w.guessed = 0, false
	l.base = w
	if s != nil {
		l.forms[s.name], l.known[s.name] = form, true
	}
}

// formWords in a refusal say that the form was not understood.
var formWords = []string{
	"response_format", "json_schema", "json_object", "output_config", "output_format", "structured output", "response_schema", "responseschema",
	"responsejsonschema", "response_json_schema", "response_mime_type", "responsemimetype", "json mode", "schema", "grammar",
	"tool_choice", "function calling", "tools",
}

// another returns other ways for a request that was refused with those words,
// in lower case. Each change is made once, so that this comes to an end.
func (l *learned) another(w ways, hint string, req *Request) (ways, bool) {
	switch {
	case !w.flipped && (strings.Contains(hint, "max_tokens") || strings.Contains(hint, "max_completion_tokens")):
		w.maxTokens, w.flipped = !w.maxTokens, true
		return w, true
	case !w.noTemperature && req.Temperature != nil && strings.Contains(hint, "temperature"):
		w.noTemperature = true
		return w, true
	case !w.noUsage && strings.Contains(hint, "stream_options"):
		w.noUsage = true
		return w, true
	case req.Schema == nil || w.form == formLast:
		return w, false
	}
	if w.form++; w.form == formObject && l.noObject {
		w.form++
	}
	for _, word := range formWords {
		if strings.Contains(hint, word) {
			return w, true
		}
	}
	// Some servers refuse without a word. Unless the form has worked before, it
	// may be what they mean.
	l.mu.Lock()
	defer l.mu.Unlock()
	w.guessed = true
	return w, !l.known[req.Schema.name]
}
