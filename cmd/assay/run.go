package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"assay/internal/config"
	"assay/internal/store"
	"assay/review"
)

type runCmd struct {
	Repository string        `arg:"" help:"The repository." placeholder:"OWNER/REPO"`
	Pull       int           `help:"A pull request. Without it the branch is looked at as a whole." placeholder:"N"`
	Ref        string        `help:"A branch. The default branch when left out." placeholder:"BRANCH"`
	Pipeline   string        `help:"Run this pipeline alone, whatever it listens to. All that listen to the event, when left out." placeholder:"NAME"`
	Event      string        `help:"${enum}." enum:"manual.run,repository.health_check" default:"manual.run"`
	Wait       bool          `help:"Wait for the conclusion."`
	Timeout    time.Duration `help:"How long --wait waits." default:"30m"`
	URL        string        `help:"Where the service is. PUBLIC_URL when left out." placeholder:"URL"`
	Token      string        `help:"The operator's token. ASSAY_ADMIN_TOKEN when left out; on the command line others can see it." placeholder:"TOKEN"`
}

// Help is shown by assay run --help.
func (runCmd) Help() string {
	return `Asks the running service (POST /api/orchestrator/run). Once it has answered, the
request is stored and is not lost. The report is a check run on the head, and a
page, whose address is printed.

Exit codes: 0 started, or with --wait: no check fails; 1 a check fails; 2 it
could not be started or followed.

Examples:
  assay run octo-org/shop --pull 12
  assay run octo-org/shop --pull 12 --pipeline review --wait
  assay run octo-org/shop --event repository.health_check --wait`
}

const (
	// askTimeout bounds a request; the service answers within 5 s or so.
	askTimeout = 20 * time.Second
	// followEvery is how often a run is looked at.
	followEvery = time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 20
)

// started is what the service answers.
type started struct {
	Delivery string `json:"delivery"`
	Status   string `json:"status"`
	Error    string `json:"error"`
	Field    string `json:"field"`
	Runs     []struct {
		ID       string `json:"id"`
		Pipeline string `json:"pipeline"`
		URL      string `json:"url"`
	} `json:"runs"`
}

func (c runCmd) Run(cmd command) error {
	s, err := c.service(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.ctx, c.Timeout)
	defer cancel()
	key := store.NewRunID()
	a, err := s.start(ctx, c, key)
	// The same key asks for what was asked for, not for more.
	for err == nil && c.Wait && len(a.Runs) == 0 {
		if err = pause(ctx, followEvery); err == nil {
			a, err = s.start(ctx, c, key)
		}
	}
	if err != nil {
		return c.explained(ctx, err)
	}
	if len(a.Runs) == 0 {
		_, err := fmt.Fprintf(cmd.stdout, "accepted as delivery %s, nothing has begun yet; see `assay runs`\n", a.Delivery)
		return err
	}
	failed := 0
	for _, r := range a.Runs {
		if !c.Wait {
			fmt.Fprintf(cmd.stdout, "%s: %s\n", r.Pipeline, r.URL)
			continue
		}
		run, err := s.follow(ctx, r.ID)
		if err != nil {
			return c.explained(ctx, err)
		}
		fmt.Fprintf(cmd.stdout, "%s: %s: %s\n", r.Pipeline, verdict(run), r.URL)
		if run.Status == review.StatusDead || run.Conclusion == review.ConclusionFailure {
			failed++
		}
	}
	if failed > 0 {
		return gateError{count(failed, "check") + " failed"}
	}
	return nil
}

// explained says of a wait that has ended what it waited for.
func (c runCmd) explained(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no conclusion within %s; the run goes on, see `assay runs`", c.Timeout)
	}
	return err
}

// outcome is what is read of a run's JSON.
type outcome struct {
	Status     review.Status     `json:"status"`
	Conclusion review.Conclusion `json:"conclusion"`
	Reason     string            `json:"reason"`
	Findings   []json.RawMessage `json:"findings"`
}

func verdict(r outcome) string {
	if r.Status == review.StatusDone {
		return fmt.Sprintf("%s, %s", r.Conclusion, count(len(r.Findings), "finding"))
	}
	return strings.TrimSuffix(fmt.Sprintf("%s, %s", r.Status, r.Reason), ", ")
}

// service is a running service.
type service struct {
	url, token string
	client     *http.Client
}

func (c runCmd) service(cmd command) (service, error) {
	cfg, err := config.Load(cmd.env)
	if err != nil && (c.URL == "" || c.Token == "") {
		return service{}, err
	}
	base := strings.TrimSuffix(cmp.Or(c.URL, cfg.Server.PublicURL), "/")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return service{}, fmt.Errorf("--url %q is not the address of a service: give http(s)://HOST", base)
	}
	client := &http.Client{
		Timeout: askTimeout,
		// A redirect would carry the token to another address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return service{base, cmp.Or(c.Token, cfg.Server.AdminToken.Reveal()), client}, nil
}

func (s service) start(ctx context.Context, c runCmd, key string) (a started, err error) {
	body, err := json.Marshal(map[string]any{
		"repository": c.Repository, "pull": c.Pull, "ref": c.Ref, "pipeline": c.Pipeline, "event": c.Event,
	})
	if err != nil {
		return a, err
	}
	status, err := s.ask(ctx, http.MethodPost, "/api/orchestrator/run", key, body, &a)
	switch {
	case err != nil:
		return a, err
	case status == http.StatusAccepted:
		return a, nil
	case status == http.StatusUnauthorized:
		return a, fmt.Errorf("%s refuses the token: set ASSAY_ADMIN_TOKEN, or give --token, as the service has it", s.url)
	case status == http.StatusNotFound && a.Field == "":
		return a, fmt.Errorf("%s has no such route for you: set ASSAY_ADMIN_TOKEN for the service and here, or run this on the service's machine with --url http://localhost:PORT", s.url)
	case a.Error != "":
		return a, errors.New(a.Error)
	}
	return a, fmt.Errorf("%s answers %d", s.url, status)
}

// follow waits for a run's end.
func (s service) follow(ctx context.Context, id string) (r outcome, err error) {
	for {
		r = outcome{}
		status, err := s.ask(ctx, http.MethodGet, "/runs/"+url.PathEscape(id)+"/json", "", nil, &r)
		if err != nil {
			return r, err
		}
		if status != http.StatusOK || r.Status == "" {
			return r, fmt.Errorf("look at run %s: %s answers %d", id, s.url, status)
		}
		if r.Status.Final() {
			return r, nil
		}
		if err := pause(ctx, followEvery); err != nil {
			return r, err
		}
	}
}

func (s service) ask(ctx context.Context, method, path, key string, body []byte, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the service (is it running? --url or PUBLIC_URL says where): %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("read the service's answer: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil && resp.StatusCode < http.StatusMultipleChoices {
		return 0, fmt.Errorf("%s does not answer like assay: %w", s.url, err)
	}
	return resp.StatusCode, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
