package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"assay/agents"
	"assay/internal/app"
	"assay/internal/config"
	"assay/internal/fault"
	"assay/internal/guard"
	"assay/review"
)

// scriptedModel is the environment variable that makes this test binary a
// service with one agent more, which asks the model server at that address.
const scriptedModel = "ASSAY_E2E_MODEL"

// modelName is the dependency that the agent's calls go through.
const modelName = "model"

// model is a model server: it is up or down, and counts who asks.
type model struct {
	*httptest.Server
	down           atomic.Bool
	asked, refused atomic.Int64
}

func newModel() *model {
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.asked.Add(1)
		if m.down.Load() {
			m.refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	return m
}

// scripted is an agent that has a finding in every file, if the model answers.
type scripted struct {
	url   string
	guard *guard.Dependency
}

func (scripted) Name() string { return "scripted" }

func (a scripted) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	_, err := guard.Do(ctx, a.guard, guard.Call{Idempotent: true}, func(ctx context.Context) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
		if err != nil {
			return 0, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, fault.New(fault.Transient, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return 0, fault.New(fault.Transient, errors.New(resp.Status))
		}
		return resp.StatusCode, nil
	})
	if err != nil {
		return agents.Result{}, fmt.Errorf("ask the model: %w", err)
	}
	var r agents.Result
	for _, f := range in.Change.Files {
		r.Coverage = append(r.Coverage, review.Coverage{Path: f.Path, Level: review.Full})
		r.Findings = append(r.Findings, review.Finding{
			Rule: "scripted/opinion", Severity: review.Low, Category: review.Maintainability, Path: f.Path, StartLine: 1, EndLine: 1, Message: "The model has an opinion.",
		})
	}
	return r, nil
}

// serveScripted is the service with the scripted agent, until a signal.
func serveScripted(url string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		log.Error("config", "error", err)
		return 1
	}
	service, err := app.Start(ctx, app.Options{
		Config: cfg, Version: "scripted", Logger: log,
		Extra: func(guards *guard.Set) ([]agents.Agent, error) {
			d, err := guards.Get(modelName)
			return []agents.Agent{scripted{url, d}}, err
		},
		Guard: func(name string, cfg guard.Config) guard.Config {
			if name == modelName {
				cfg.FailureThreshold, cfg.ResetTimeout, cfg.MaxResetTimeout = 3, 200*time.Millisecond, time.Second
			}
			return cfg
		},
	})
	if err != nil {
		log.Error("start", "error", err)
		return 1
	}
	<-ctx.Done()
	if err := service.Stop(context.WithoutCancel(ctx)); err != nil {
		log.Error("stop", "error", err)
		return 1
	}
	return 0
}
