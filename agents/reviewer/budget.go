package reviewer

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"assay/internal/llm"
	"assay/review"
)

// Bounds of a run where the policy sets none.
const (
	// defaultTokens are of input and output together.
	defaultTokens = 300_000
	// defaultSteps are rounds of tools in one conversation.
	defaultSteps = 8
	defaultTime  = 8 * time.Minute
	maxSteps     = 50
)

const (
	// maxAnswer bounds an answer, in tokens.
	maxAnswer = 4096
	// haste is the part of the time that is left for the last answers: from
	// then on nothing new is begun, and no more tools are run.
	haste = 8
	// maxHaste bounds it.
	maxHaste = 45 * time.Second
)

type limits struct {
	tokens, steps int
	time          time.Duration
	usd           float64
}

func limitsOf(b review.Budget) limits {
	return limits{
		tokens: cmp.Or(b.Tokens, defaultTokens), steps: min(cmp.Or(b.Steps, defaultSteps), maxSteps),
		time: cmp.Or(b.Time, defaultTime), usd: b.USD,
	}
}

// meter holds a run to its budget. It is safe for concurrent use.
type meter struct {
	limits limits
	now    func() time.Time
	// soft is when nothing new is begun any more.
	soft time.Time

	mu       sync.Mutex
	released sync.Cond // of mu
	used     review.Usage
	spent    int // tokens
	reserved int
}

func newMeter(ctx context.Context, l limits, now func() time.Time) *meter {
	m := &meter{limits: l, now: now}
	m.released.L = &m.mu
	if end, ok := ctx.Deadline(); ok {
		left := end.Sub(now())
		m.soft = end.Add(-min(left/haste, maxHaste))
	}
	return m
}

// reserve sets tokens aside for work to come, waiting for what others have set
// aside and may not need. It says why there are none.
func (m *meter) reserve(tokens int) (refusal string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.reserved > 0 && !m.late() && m.over(tokens) != "" && m.spent+tokens <= m.limits.tokens {
		m.released.Wait()
	}
	if refusal = m.over(tokens); refusal == "" {
		m.reserved += tokens
	}
	return refusal
}

// refuse says why tokens could not be set aside even if nobody else had any;
// "" when they could.
func (m *meter) refuse(tokens int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over(tokens - m.reserved)
}

func (m *meter) release(tokens int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reserved -= tokens
	m.released.Broadcast()
}

// over says why tokens more would be too much; "" when they would not.
func (m *meter) over(tokens int) string {
	switch {
	case m.spent+m.reserved+tokens > m.limits.tokens:
		return fmt.Sprintf("the budget of %d tokens does not reach so far", m.limits.tokens)
	case m.limits.usd > 0 && m.used.USD != nil && *m.used.USD >= m.limits.usd:
		return fmt.Sprintf("the budget of $%.2f is used up", m.limits.usd)
	case m.late():
		return "the time for the review is up"
	}
	return ""
}

// strained reports whether a conversation that holds a reservation should come
// to its end: another round of about the given tokens, with an answer after it,
// may be more than there is.
func (m *meter) strained(reserved, tokens int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over(2*tokens+2*maxAnswer-min(reserved, m.reserved)) != ""
}

func (m *meter) late() bool { return !m.soft.IsZero() && !m.now().Before(m.soft) }

// add notes what a call took.
func (m *meter) add(model string, u llm.Usage) {
	if u.Calls == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = m.used.Add(u.Review(model))
	m.spent += u.Input + u.Output
}

// save notes input that was not sent.
func (m *meter) save(tokens int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used.Saved += tokens
}

func (m *meter) usage() review.Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}
