package reviewer

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"assay/agents"
	"assay/internal/llm"
	"assay/internal/llmfake"
	"assay/internal/secret"
	"assay/review"
)

// world is a model server and an agent that asks it.
type world struct {
	*llmfake.Server
	agent   *Agent
	answers *memory
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{Server: llmfake.New(), answers: &memory{kept: make(map[string][]byte)}}
	web := httptest.NewServer(w.Server)
	t.Cleanup(func() { w.Close(); web.Close() })
	models, err := llm.New(llm.Config{
		Providers: map[string]llm.Provider{"openai": {Dialect: llm.OpenAI, BaseURL: web.URL + "/v1", Key: secret.New(modelKey)}},
		Aliases:   map[string][]llm.Ref{"default": {{Provider: "openai", Model: "big"}}, "fast": {{Provider: "openai", Model: "small"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(models.Close)
	cfg := Config{Models: models, Answers: w.answers}
	for _, c := range change {
		c(&cfg)
	}
	if w.agent, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

const modelKey = "sk-canary-model-key-0123456789abcdef"

func (w *world) run(t testing.TB, change *review.Change) agents.Result {
	t.Helper()
	result, err := w.agent.Run(t.Context(), agents.Input{Change: change})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// memory keeps answers.
type memory struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (m *memory) Lookup(_ context.Context, repo review.Repo, key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.kept[repo.String()+key]
	return b, ok
}

func (m *memory) Put(_ context.Context, repo review.Repo, key string, answer []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[repo.String()+key] = answer
}

// head is a repository's head, for tests.
type headFiles map[string]string

func (h headFiles) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	if text, ok := h[path]; ok && side == review.Head {
		return []byte(text), nil
	}
	return nil, review.ErrNotExist
}

func (h headFiles) List(context.Context, review.Side) (all []review.Entry, err error) {
	for path, text := range h {
		all = append(all, review.Entry{Path: path, Mode: "100644", Size: int64(len(text))})
	}
	slices.SortFunc(all, func(a, b review.Entry) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// added is a change that adds files, beside others that are there already.
func added(files map[string]string, others ...map[string]string) *review.Change {
	head := make(headFiles)
	c := &review.Change{
		Repo: review.Repo{ID: 1, Owner: "octo", Name: "shop"},
		Pull: review.Pull{Number: 7, Title: "Add things", BaseRef: "main", HeadRef: "feature", BaseSHA: "b", HeadSHA: "h"},
	}
	for path, text := range files {
		head[path] = text
		c.Files = append(c.Files, addedFile(path, text))
	}
	for _, more := range others {
		for path, text := range more {
			head[path] = text
		}
	}
	slices.SortFunc(c.Files, func(a, b review.File) int { return strings.Compare(a.Path, b.Path) })
	c.Contents, c.Tree = head, head
	return c
}

func addedFile(path, text string) review.File {
	f := review.File{Path: path, Status: review.Added, Mode: "100644"}
	h := review.Hunk{NewStart: 1}
	for line := range strings.Lines(text) {
		h.NewLines++
		h.Lines = append(h.Lines, review.Line{Op: review.Add, New: h.NewLines, Text: strings.TrimSuffix(line, "\n")})
	}
	f.Additions, f.Hunks = h.NewLines, []review.Hunk{h}
	return f
}

const buggy = "package shop\n\nfunc last(all []int) int {\n\tsum := 0\n\tfor i := 0; i <= len(all); i++ {\n\t\tsum += all[i]\n\t}\n\treturn sum\n}\n"

// TestFinds holds the way of a finding from the model's words to lines of the
// head, with a tool's result and a second look between.
func TestFinds(t *testing.T) {
	w := newWorld(t)
	got := w.run(t, added(map[string]string{"shop/last.go": buggy, "shop/ok.go": "package shop\n\nvar a = 1\n"}))
	if len(got.Findings) != 1 {
		t.Fatalf("findings %+v, note %q; want the one", got.Findings, got.Note)
	}
	f := got.Findings[0]
	if f.Path != "shop/last.go" || f.StartLine != 5 || f.EndLine != 5 || f.Severity != review.High || !strings.Contains(f.Evidence, "i <= len(all)") {
		t.Errorf("finding %+v", f)
	}
	for _, c := range got.Coverage {
		if c.Level != review.Full {
			t.Errorf("receipt %+v, want full", c)
		}
	}
	if got.Usage.Calls != 3 || got.Usage.Input == 0 {
		t.Errorf("usage %+v, want a look, an answer and a second look", got.Usage)
	}
	if w.Requests()[2].Model != "small" {
		t.Errorf("the second look was of %s", w.Requests()[2].Model)
	}
}

func script(w *world, answer string) {
	w.Answer(func(r llmfake.Request) llmfake.Step {
		if strings.Contains(string(r.Schema), "verdicts") {
			return llmfake.Step{}
		}
		return llmfake.Step{Text: answer}
	})
}

func claimJSON(path, quote, more string) string {
	return fmt.Sprintf(`{"path":%q,"quote":%q,"line":0,"claim":"It is off by one.","why":"It panics.","how_to_see_it_fail":"Call it.","severity":"high","category":"correctness","confidence":"high","replacement":null%s}`, path, quote, more)
}
