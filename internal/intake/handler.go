package intake

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"assay/internal/fault"
	"assay/internal/sarif"
)

const (
	// maxBodies is how many bodies are held at a time: strangers can send them
	// too, up to the length of the longest log.
	maxBodies = 4
	// perMinute is how many uploads a repository may send in a minute.
	perMinute = 60
	// busyFor is when a sender should try again for which there was no room.
	busyFor = 10 * time.Second
)

// Config has what a Handler is made of.
type Config struct {
	// Secret is what the repositories' keys are made from; required.
	Secret string
	Keeper Keeper
	// Logger takes errors of ours; nil discards.
	Logger *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Handler answers uploads. It is safe for concurrent use. Its answer is JSON:
//
//	{"status": "accepted", "results": N, "omitted": N} or {"status": "error", "message": why}
//
// with the status 202, or 400 for a query that cannot be right, 401 not signed
// with the repository's key (or no such repository), 405, 413, 415, 422 no
// SARIF, 429 too many, 503 no room or not stored.
type Handler struct {
	secret string
	keeper Keeper
	log    *slog.Logger
	now    func() time.Time
	bodies chan struct{}
	pace   pace
}

// New makes a handler.
func New(cfg Config) (*Handler, error) {
	if cfg.Secret == "" || cfg.Keeper == nil {
		return nil, errors.New("make the intake of uploads: Secret and Keeper are required")
	}
	h := &Handler{secret: cfg.Secret, keeper: cfg.Keeper, log: cfg.Logger, now: cfg.Now, bodies: make(chan struct{}, maxBodies)}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	return h, nil
}

// answer is what a sender is told.
type answer struct {
	code       int
	retryAfter time.Duration
	Status     string `json:"status"`
	Message    string `json:"message,omitempty"`
	Results    *int   `json:"results,omitempty"`
	Omitted    int    `json:"omitted,omitempty"`
}

func refuse(code int, message string) answer {
	return answer{code: code, Status: "error", Message: message}
}

// unsigned is one answer for all that is wrong with who sends: it tells nobody
// which repositories there are.
func unsigned() answer {
	return refuse(http.StatusUnauthorized, "the upload is not signed with the repository's key, or its timestamp is over 5 minutes off")
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := h.serve(w, r)
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.retryAfter.Seconds())))
	}
	if a.code == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.code)
	// Nobody is left to tell when the answer cannot be written.
	_ = json.NewEncoder(w).Encode(a)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) answer {
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "uploads are sent with POST")
	}
	to, err := targetOf(r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	encoding := strings.ToLower(strings.Join(r.Header.Values("Content-Encoding"), ","))
	if encoding != "" && encoding != "identity" && encoding != "gzip" {
		return refuse(http.StatusUnsupportedMediaType, "send the log as it is, or with Content-Encoding: gzip")
	}
	select {
	case h.bodies <- struct{}{}:
		defer func() { <-h.bodies }()
	default:
		busy := refuse(http.StatusServiceUnavailable, "too many uploads at once: try again")
		busy.retryAfter = busyFor
		return busy
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sarif.MaxBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refuse(http.StatusRequestEntityTooLarge, sarif.ErrTooLarge.Error())
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body cannot be read")
	}
	if !h.signed(r, to.repository, body) {
		return unsigned()
	}
	return h.take(r, to, body)
}

// take is for requests that are signed.
func (h *Handler) take(r *http.Request, to target, body []byte) answer {
	owner, name, _ := strings.Cut(to.repository, "/")
	id, ok, err := h.keeper.Repository(r.Context(), owner, name)
	if err != nil {
		return h.failed(err)
	}
	if !ok {
		return unsigned()
	}
	if wait := h.pace.take(id, h.now()); wait > 0 {
		many := refuse(http.StatusTooManyRequests, "this repository has sent "+strconv.Itoa(perMinute)+" uploads within a minute")
		many.retryAfter = wait
		return many
	}
	if body, err = plain(body); err != nil {
		return refuse(statusOf(err), err.Error())
	}
	log, err := sarif.Read(body, to.root)
	if err != nil {
		return refuse(statusOf(err), err.Error())
	}
	if err := h.keeper.Keep(r.Context(), Upload{RepoID: id, HeadSHA: to.sha, Category: to.category, Log: log, Received: h.now()}); err != nil {
		return h.failed(err)
	}
	results := log.Results()
	return answer{code: http.StatusAccepted, Status: "accepted", Results: &results, Omitted: log.Omitted}
}

func statusOf(err error) int {
	if errors.Is(err, sarif.ErrTooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusUnprocessableEntity
}

func (h *Handler) failed(err error) answer {
	if fault.KindOf(err) == fault.Invalid {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	h.log.Error("upload not kept", "error", err)
	a := refuse(http.StatusServiceUnavailable, "the upload could not be kept: try again")
	a.retryAfter = busyFor
	return a
}

// plain is the log itself: gzip is known by how it begins, whatever the header
// says, and unpacked as far as a log may be long.
func plain(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the gzip data cannot be read")
	}
	text, err := io.ReadAll(io.LimitReader(r, sarif.MaxBytes+1))
	if err != nil {
		return nil, errors.New("the gzip data cannot be read")
	}
	if len(text) > sarif.MaxBytes {
		return nil, sarif.ErrTooLarge
	}
	return text, nil
}

// pace counts the uploads of each repository within a minute. Only uploads that
// are signed are counted, so there are as many entries as repositories.
type pace struct {
	mu     sync.Mutex
	counts map[int64]*count
}

type count struct {
	since time.Time
	n     int
}

// take counts one upload; wait is how long it came too early.
func (p *pace) take(repo int64, now time.Time) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts == nil {
		p.counts = make(map[int64]*count)
	}
	c := p.counts[repo]
	if c == nil || now.Sub(c.since) >= time.Minute {
		c = &count{since: now}
		p.counts[repo] = c
	}
	if c.n++; c.n <= perMinute {
		return 0
	}
	return max(time.Second, time.Minute-now.Sub(c.since))
}
