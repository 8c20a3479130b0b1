package ghfake

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// delivery is one attempt to deliver an event.
type delivery struct {
	id           int64
	guid         string
	app          int64
	event        string
	action       string
	installation int64
	repo         int64
	hook         int64
	body         []byte
	url, secret  string
	redelivery   bool

	// What came of it; at is zero until then.
	at              time.Time
	took            time.Duration
	status          string
	code            int
	requestHeader   http.Header
	responseHeader  http.Header
	responsePayload string
}

// Delivery is an attempt to deliver an event, and what came of it.
type Delivery struct {
	ID         int64
	GUID       string
	App        int64
	Event      string
	Action     string
	Redelivery bool
	// Status is "OK", or GitHub's words for what went wrong; StatusCode the
	// answer's, 0 where there was none to speak of.
	Status     string
	StatusCode int
	// DeliveredAt is zero while the attempt is under way.
	DeliveredAt time.Time
	Duration    time.Duration
	Payload     []byte
}

// dispatcher makes the deliveries.
type dispatcher struct {
	client  *http.Client
	now     func() time.Time
	timeout time.Duration
	slots   chan struct{}
	ctx     context.Context // ends the attempts under way when closed
	cancel  context.CancelFunc

	mu      sync.Mutex
	kept    ring[*delivery]
	waiting []*delivery
	pending int           // waiting and under way
	idle    chan struct{} // closed when pending is 0
	closed  bool
}

func newDispatcher(cfg Config) *dispatcher {
	client := &http.Client{}
	if cfg.HookClient != nil {
		*client = *cfg.HookClient
	}
	client.Timeout = 0 // the attempt's context has the deadline
	// A redirect is a failure in GitHub's eyes, and must not take the signed
	// payload elsewhere.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, cancel := context.WithCancel(context.Background())
	idle := make(chan struct{})
	close(idle)
	return &dispatcher{
		client: client, now: cfg.Now, timeout: cfg.HookTimeout, slots: make(chan struct{}, cfg.HookConcurrency),
		ctx: ctx, cancel: cancel, kept: ring[*delivery]{cap: cfg.KeepDeliveries}, idle: idle,
	}
}

// enqueue takes a delivery on; it is made as soon as a slot is free, in order.
func (d *dispatcher) enqueue(a *delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.pending == 0 {
		d.idle = make(chan struct{})
	}
	d.pending++
	d.waiting = append(d.waiting, a)
	d.kept.add(a)
	select {
	case d.slots <- struct{}{}:
		go d.work()
	default:
	}
}

// work makes deliveries until none waits.
func (d *dispatcher) work() {
	for {
		d.mu.Lock()
		if len(d.waiting) == 0 {
			<-d.slots
			d.mu.Unlock()
			return
		}
		a := d.waiting[0]
		d.waiting = d.waiting[1:]
		d.mu.Unlock()
		result := d.attempt(a)
		d.mu.Lock()
		result(a)
		d.pending--
		if d.pending == 0 {
			close(d.idle)
		}
		d.mu.Unlock()
	}
}

// maxAnswerKept bounds what is kept of an app's answer.
const maxAnswerKept = 4 << 10

// attempt delivers once, and returns how to note what came of it.
func (d *dispatcher) attempt(a *delivery) func(*delivery) {
	ctx, cancel := context.WithTimeout(d.ctx, d.timeout)
	defer cancel()
	start := d.now()
	failed := func(status string, code int) func(*delivery) {
		took := d.now().Sub(start)
		return func(a *delivery) { a.at, a.took, a.status, a.code = start, took, status, code }
	}
	req, err := hookRequest(ctx, a)
	if err != nil {
		return failed("invalid URL", 0)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		// The codes are those GitHub shows for answers it did not get.
		if netErr, is := errors.AsType[net.Error](err); ctx.Err() != nil || is && netErr.Timeout() {
			return failed("timed out", http.StatusGatewayTimeout)
		}
		return failed("failed to connect to host", http.StatusBadGateway)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerKept))
	if err != nil {
		return failed("timed out", http.StatusGatewayTimeout)
	}
	took := d.now().Sub(start)
	status := "OK"
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		status = fmt.Sprintf("Invalid HTTP Response: %d", resp.StatusCode)
	}
	return func(a *delivery) {
		a.at, a.took, a.status, a.code = start, took, status, resp.StatusCode
		a.requestHeader, a.responseHeader, a.responsePayload = req.Header, resp.Header, strings.ToValidUTF8(string(text), "\uFFFD")
	}
}

// close stops the attempts and waits for those under way.
func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	d.pending -= len(d.waiting)
	if len(d.waiting) > 0 && d.pending == 0 {
		close(d.idle)
	}
	d.waiting = nil
	idle := d.idle
	d.mu.Unlock()
	d.cancel()
	<-idle
}

// Flush waits until no delivery is waiting or under way. What an app does only
// after it has answered may lead to more.
func (s *Server) Flush(ctx context.Context) error {
	for {
		s.hooks.mu.Lock()
		idle, pending := s.hooks.idle, s.hooks.pending
		s.hooks.mu.Unlock()
		if pending == 0 {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("ghfake: %d deliveries under way: %w", pending, ctx.Err())
		}
	}
}

// Deliveries returns the latest deliveries, oldest first, at most
// Config.KeepDeliveries of them.
func (s *Server) Deliveries() []Delivery {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	var out []Delivery
	for _, d := range s.hooks.kept.all() {
		out = append(out, Delivery{
			ID: d.id, GUID: d.guid, App: d.app, Event: d.event, Action: d.action, Redelivery: d.redelivery,
			Status: d.status, StatusCode: d.code, DeliveredAt: d.at, Duration: d.took, Payload: d.body,
		})
	}
	return out
}

// Deliver sends any payload as an event to an app, as for a replay of recorded
// ones. It returns the GUID of the delivery.
func (s *Server) Deliver(app *App, event string, payload []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &delivery{
		id: s.nextID(), guid: guid(), app: app.ID, event: event, body: bytes.Clone(payload),
		url: app.HookURL, secret: app.WebhookSecret, hook: app.hookID,
	}
	s.hooks.enqueue(d)
	return d.guid
}

// Redeliver asks for a delivery again, as a person does on the app's page.
func (s *Server) Redeliver(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.hooks.find(id)
	if d == nil {
		return fmt.Errorf("ghfake: no delivery %d", id)
	}
	s.redeliverAs(*d)
	return nil
}

func (s *Server) redeliverAs(d delivered) {
	again := d.fresh()
	again.id, again.redelivery = s.nextID(), true
	if app := s.apps[again.app]; app != nil {
		again.url, again.secret = app.HookURL, app.WebhookSecret
	}
	s.hooks.enqueue(again)
}

// HookRequest is a signed webhook request, ready to be sent. An empty id is
// filled in. It reads the app, which must not have its hook changed meanwhile.
func HookRequest(ctx context.Context, app *App, event, id string, payload []byte) (*http.Request, error) {
	setDefault(&id, guid())
	return hookRequest(ctx, &delivery{guid: id, app: app.ID, event: event, body: payload, url: app.HookURL, secret: app.WebhookSecret, hook: app.hookID})
}

func hookRequest(ctx context.Context, a *delivery) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(a.body))
	if err != nil {
		return nil, fmt.Errorf("ghfake: make a delivery: %w", err)
	}
	req.Header = http.Header{
		"Accept":                                 {"*/*"},
		"Content-Type":                           {"application/json"},
		"User-Agent":                             {"GitHub-Hookshot/ghfake"},
		"X-Github-Event":                         {a.event},
		"X-Github-Delivery":                      {a.guid},
		"X-Github-Hook-Id":                       {strconv.FormatInt(a.hook, 10)},
		"X-Github-Hook-Installation-Target-Id":   {strconv.FormatInt(a.app, 10)},
		"X-Github-Hook-Installation-Target-Type": {"integration"},
	}
	if a.secret != "" {
		req.Header.Set("X-Hub-Signature-256", Sign(a.secret, a.body))
	}
	return req, nil
}

// Sign is the value of X-Hub-Signature-256 for a body
// (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries).
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
