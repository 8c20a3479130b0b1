// Package traces tells where the time of a run goes, as OpenTelemetry traces:
// one for each run, with a span for each agent and each request to GitHub. It
// is off unless the operator names a collector; a nil *Traces is off, and all
// its methods pass through.
//
// A trace says less than a report: names, durations and outcomes, and of a
// run's ID only the start, since the whole ID opens its page. Trouble with the
// collector is logged and changes nothing else.
package traces

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"assay/agents"
	"assay/internal/secret"
	"assay/review"
)

const (
	// exportTimeout bounds one delivery of spans.
	exportTimeout = 10 * time.Second
	stopTimeout   = 3 * time.Second
	// shownID is how much of a run's ID is told: enough to find it in the log,
	// too little to open its page.
	shownID = 8
)

// Names of attributes, of OpenTelemetry's conventions where it has one
// (https://opentelemetry.io/docs/specs/semconv/registry/attributes/cicd/).
const (
	pipelineName   = attribute.Key("cicd.pipeline.name")
	pipelineResult = attribute.Key("cicd.pipeline.result")
	taskName       = attribute.Key("cicd.pipeline.task.name")
	repoOwner      = attribute.Key("vcs.owner.name")
	repoName       = attribute.Key("vcs.repository.name")
	changeID       = attribute.Key("vcs.change.id")
	runStart       = attribute.Key("assay.run.start_of_id")
	runStatus      = attribute.Key("assay.run.status")
	runHealth      = attribute.Key("assay.run.health")
	findingCount   = attribute.Key("assay.findings")
	fileCount      = attribute.Key("assay.files")
)

// Config says where traces go.
type Config struct {
	// URL takes traces over OTLP/HTTP, as "http://collector:4318/v1/traces".
	URL     string
	Headers map[string]secret.Secret
	// Service and Version are what the traces are filed under.
	Service, Version string
	// Censor is given what errors said before it is told; may be nil.
	Censor func(string) string
	// Logger is told of trouble with the collector; nil discards.
	Logger *slog.Logger
}

// Traces makes spans and sends them. It is safe for concurrent use.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	censor   func(string) string
	log      *slog.Logger
}

// Start starts sending to cfg.URL; with none it returns nil. It does not speak
// to the collector yet.
func Start(ctx context.Context, cfg Config) (*Traces, error) {
	if cfg.URL == "" {
		return nil, nil // off
	}
	headers := make(map[string]string, len(cfg.Headers))
	for name, value := range cfg.Headers {
		headers[name] = value.Reveal()
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.URL), otlptracehttp.WithHeaders(headers),
		otlptracehttp.WithTimeout(exportTimeout), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", cfg.URL, err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Censor == nil {
		cfg.Censor = func(text string) string { return text }
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(logged{exporter, cfg.Logger}),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", cfg.Service), attribute.String("service.version", cfg.Version))),
	)
	return &Traces{provider: provider, tracer: provider.Tracer("assay"), censor: cfg.Censor, log: cfg.Logger}, nil
}

// logged keeps the errors of an exporter from the library's own handler, which
// is one for the whole process and prints past our log.
type logged struct {
	sdk.SpanExporter
	log *slog.Logger
}

func (l logged) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := l.SpanExporter.ExportSpans(ctx, spans); err != nil {
		l.log.Warn("traces not sent", "spans", len(spans), "error", err)
	}
	return nil
}

// Stop sends what is left, for a moment: a stop does not wait for a collector
// that is away.
func (t *Traces) Stop(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn("the last traces were not sent", "error", err)
	}
}

// Job traces the work on a job, as "run" or "decide", in a trace of its own.
// id is the run's; empty for none.
func (t *Traces) Job(ctx context.Context, name, id string, work func(ctx context.Context) error) error {
	if t == nil {
		return work(ctx)
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithNewRoot())
	defer span.End()
	if id != "" {
		span.SetAttributes(runStart.String(id[:min(len(id), shownID)]))
	}
	err := work(ctx)
	t.note(span, err)
	return err
}

// RunEnded says of the trace of ctx what became of its run; it fits
// pipeline.Config.OnRun.
func (t *Traces) RunEnded(ctx context.Context, r review.Run) {
	if t == nil {
		return
	}
	trace.SpanFromContext(ctx).SetAttributes(
		pipelineName.String(r.Pipeline), pipelineResult.String(string(r.Outcome.Conclusion)),
		repoOwner.String(r.Repo.Owner), repoName.String(r.Repo.Name), changeID.Int(r.Pull.Number),
		runStatus.String(string(r.Status)), runHealth.String(string(r.Outcome.Health)), findingCount.Int(len(r.Findings)), fileCount.Int(r.Files),
	)
}

// note gives the span its status. An error of the context is no failure of the
// work: a later push ends runs all day.
func (t *Traces) note(span trace.Span, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		span.SetStatus(codes.Error, t.censor(err.Error()))
	}
}

// Agent traces the work of a.
func (t *Traces) Agent(a agents.Agent) agents.Agent {
	if t == nil {
		return a
	}
	return agent{a, t}
}

type agent struct {
	agents.Agent
	traces *Traces
}

// Unwrap is the agent that is traced: its rules are found by it.
func (a agent) Unwrap() agents.Agent { return a.Agent }

// Run runs the agent in a span of its own.
func (a agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	ctx, span := a.traces.tracer.Start(ctx, "agent "+a.Name(), trace.WithAttributes(taskName.String(a.Name())))
	defer span.End()
	result, err := a.Agent.Run(ctx, in)
	span.SetAttributes(findingCount.Int(len(result.Findings)))
	a.traces.note(span, err)
	return result, err
}

// Handler traces the requests that next answers, each in a trace of its own
// called name: whoever asks is a stranger, whose own trace is not joined. What
// a request leads to is a job, and traced as that.
func (t *Traces) Handler(name string, next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return otelhttp.NewHandler(next, name,
		otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
		otelhttp.WithSpanNameFormatter(func(operation string, _ *http.Request) string { return operation }),
	)
}

// Transport traces the requests that next carries for a job. GitHub is not told
// of the trace.
func (t *Traces) Transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return otelhttp.NewTransport(next,
		otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
		otelhttp.WithFilter(func(req *http.Request) bool { return trace.SpanContextFromContext(req.Context()).IsValid() }),
		otelhttp.WithSpanNameFormatter(func(_ string, req *http.Request) string { return "GitHub " + req.Method }),
	)
}
