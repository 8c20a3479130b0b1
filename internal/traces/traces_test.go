package traces

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"assay/agents"
	"assay/internal/secret"
	"assay/review"
)

const runID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// receiver is an OpenTelemetry collector.
type receiver struct {
	mu     sync.Mutex
	got    []*spans.Span
	raw    bytes.Buffer
	header http.Header
	status int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.header = req.Header
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	unzipped, err := gzip.NewReader(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(unzipped)
	var in collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.raw.Write(body)
	for _, resource := range in.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			r.got = append(r.got, scope.GetSpans()...)
		}
	}
}

func start(t *testing.T, r *receiver) (*Traces, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	log := &bytes.Buffer{}
	traces, err := Start(t.Context(), Config{
		URL: server.URL + "/v1/traces", Headers: map[string]secret.Secret{"x-key": secret.New("collector-key")}, Service: "assay", Version: "v1",
		Censor: func(text string) string { return strings.ReplaceAll(text, "hunter22", "[secret]") },
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return traces, log
}

type fake struct{ err error }

func (fake) Name() string { return "fake" }
func (f fake) Run(context.Context, agents.Input) (agents.Result, error) {
	return agents.Result{Findings: make([]review.Finding, 2)}, f.err
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func attributes(s *spans.Span) map[string]*common.AnyValue {
	all := make(map[string]*common.AnyValue)
	for _, a := range s.GetAttributes() {
		all[a.GetKey()] = a.GetValue()
	}
	return all
}

// TestRun holds the shape of a run's trace: one root, the agents and requests
// below it, what became of it on the root, and nothing that opens doors.
func TestRun(t *testing.T) {
	r := &receiver{}
	traces, _ := start(t, r)
	var sent http.Header
	carry := traces.Transport(roundTrip(func(req *http.Request) (*http.Response, error) {
		sent = req.Header
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}))
	get := func(ctx context.Context) {
		req := httptest.NewRequestWithContext(ctx, "GET", "https://api.example/repos/o/r", nil)
		req.Header.Set("Authorization", "Bearer hunter22")
		resp, err := carry.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	get(t.Context()) // nobody's: not traced
	failed := errors.New("dial with hunter22: refused")
	err := traces.Job(t.Context(), "run", runID, func(ctx context.Context) error {
		get(ctx)
		if _, err := traces.Agent(fake{failed}).Run(ctx, agents.Input{}); !errors.Is(err, failed) {
			t.Errorf("the agent's error is %v", err)
		}
		traces.RunEnded(ctx, review.Run{
			ID: runID, Pipeline: "review", Status: review.StatusDone, Repo: review.Repo{Owner: "o", Name: "r"}, Pull: review.Pull{Number: 3},
			Outcome: review.Outcome{Conclusion: review.ConclusionNeutral, Health: review.Degraded},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	traces.Stop(t.Context())
	byName := make(map[string]*spans.Span)
	for _, s := range r.got {
		byName[s.GetName()] = s
	}
	root, call, agent := byName["run"], byName["GitHub GET"], byName["agent fake"]
	if len(r.got) != 3 || root == nil || call == nil || agent == nil {
		t.Fatalf("spans %v, want run, GitHub GET and agent fake", r.got)
	}
	if len(root.GetParentSpanId()) != 0 || !bytes.Equal(call.GetParentSpanId(), root.GetSpanId()) || !bytes.Equal(agent.GetParentSpanId(), root.GetSpanId()) {
		t.Error("want a root with the request and the agent below it")
	}
	a := attributes(root)
	if a["cicd.pipeline.name"].GetStringValue() != "review" || a["cicd.pipeline.result"].GetStringValue() != "neutral" ||
		a["vcs.change.id"].GetIntValue() != 3 || a["assay.run.start_of_id"].GetStringValue() != "ABCDEFGH" {
		t.Errorf("attributes %v", a)
	}
	if agent.GetStatus().GetMessage() != "dial with [secret]: refused" || attributes(agent)["assay.findings"].GetIntValue() != 2 {
		t.Errorf("the agent's span is %v", agent)
	}
	for _, canary := range []string{runID, "hunter22"} {
		if strings.Contains(r.raw.String(), canary) {
			t.Errorf("the trace shows %s", canary)
		}
	}
	if r.header.Get("X-Key") != "collector-key" {
		t.Error("the collector did not get its key")
	}
	if sent.Get("Traceparent") != "" {
		t.Error("GitHub was told of the trace")
	}
}

// TestJobError holds that errors come through, and that being superseded is
// none.
func TestJobError(t *testing.T) {
	r := &receiver{}
	traces, _ := start(t, r)
	want := errors.New("no")
	for name, err := range map[string]error{"failed": want, "ended": context.Canceled, "fine": nil} {
		if got := traces.Job(t.Context(), name, "", func(context.Context) error { return err }); !errors.Is(got, err) {
			t.Errorf("%s: %v", name, got)
		}
	}
	traces.Stop(t.Context())
	for _, s := range r.got {
		if failed := s.GetStatus().GetCode() == spans.Status_STATUS_CODE_ERROR; failed != (s.GetName() == "failed") {
			t.Errorf("the span %s has the status %v", s.GetName(), s.GetStatus())
		}
	}
	if len(r.got) != 3 {
		t.Errorf("%d spans, want 3", len(r.got))
	}
}

// TestOff holds that without a collector nothing is in the way.
func TestOff(t *testing.T) {
	traces, err := Start(t.Context(), Config{})
	if traces != nil || err != nil {
		t.Fatalf("Start without a URL: %v, %v", traces, err)
	}
	worked := false
	if err := traces.Job(t.Context(), "run", runID, func(context.Context) error { worked = true; return nil }); err != nil || !worked {
		t.Errorf("the work was not done: %v", err)
	}
	traces.RunEnded(t.Context(), review.Run{})
	if _, wrapped := traces.Agent(fake{}).(agent); wrapped {
		t.Error("the agent was wrapped")
	}
	if got := traces.Transport(http.DefaultTransport); got != http.DefaultTransport {
		t.Error("the transport was wrapped")
	}
	traces.Stop(t.Context())
}

// TestCollectorDown holds that trouble with the collector is logged, and only
// that.
func TestCollectorDown(t *testing.T) {
	traces, log := start(t, &receiver{status: http.StatusForbidden})
	if err := traces.Job(t.Context(), "run", runID, func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
	traces.Stop(t.Context())
	if !strings.Contains(log.String(), "traces not sent") || strings.Contains(log.String(), "collector-key") {
		t.Errorf("log %s", log)
	}
}

// TestHandler holds that a request is traced in a trace of its own, whatever
// the stranger who sends it says, and without what it carries.
func TestHandler(t *testing.T) {
	r := &receiver{}
	traces, _ := start(t, r)
	handler := traces.Handler("webhook", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	req := httptest.NewRequest("POST", "/webhook", strings.NewReader("hunter22"))
	req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	req.Header.Set("X-Hub-Signature-256", "sha256=hunter22")
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	traces.Stop(t.Context())
	if rec.Code != http.StatusAccepted || len(r.got) != 1 {
		t.Fatalf("answered %d with %d spans, want one", rec.Code, len(r.got))
	}
	span := r.got[0]
	if span.GetName() != "webhook" || len(span.GetParentSpanId()) != 0 || attributes(span)["http.response.status_code"].GetIntValue() != http.StatusAccepted {
		t.Errorf("span %v", span)
	}
	if bytes.Contains(r.raw.Bytes(), []byte("hunter22")) || bytes.Contains(span.GetTraceId(), []byte{0x0a, 0xf7, 0x65, 0x19}) {
		t.Errorf("the span tells what the request carried: %v", span)
	}
}
