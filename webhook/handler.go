package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"assay/internal/fault"
	"assay/review"
)

const (
	// MaxBody is the largest payload that GitHub sends, in bytes
	// (https://docs.github.com/webhooks/webhook-events-and-payloads).
	MaxBody = 25 << 20
	// retryAfter is when a sender should try again what was not stored. GitHub
	// itself never does; the missed delivery is fetched from its API.
	retryAfter = 10 * time.Second
	// maxToken is the longest GUID or event name that is believed. A GUID has
	// 36 characters.
	maxToken = 64
	// maxHeader is the longest header value that is kept.
	maxHeader = 256
)

// Config holds what a Handler can do without.
type Config struct {
	// MaxBody is the largest body that is read, in bytes; 0 means MaxBody.
	MaxBody int64
	// Memory bounds the bodies held at a time.
	Memory Memory
	// Logger gets deliveries that could not be stored; nil discards.
	Logger *slog.Logger
	// AppID is this GitHub App's, whose own check suites begin and end with each
	// review and tell nothing new; 0 where it is not known.
	AppID int64
	// OnResult, where not nil, is told of each answer: its HTTP status, its
	// word (accepted, duplicate, ignored, error) and how long it took. It is
	// called concurrently.
	OnResult func(code int, status string, took time.Duration)
}

// Handler answers POST requests with deliveries. Its answer is JSON:
//
//	{"delivery": GUID, "status": "accepted|duplicate|ignored|error", "message": why}
//
// with the status 202 accepted, 200 duplicate or ignored (events nobody
// subscribed to), 400 malformed, 401 not signed by GitHub, 405, 413, 415, or 503
// not stored.
type Handler struct {
	verifier *Verifier
	accepter Accepter
	appID    int64
	maxBody  int64
	memory   *memory
	log      *slog.Logger
	onResult func(int, string, time.Duration)
}

// New makes a handler that hands verified deliveries to a.
func New(v *Verifier, a Accepter, c Config) *Handler {
	h := &Handler{verifier: v, accepter: a, appID: c.AppID, maxBody: c.MaxBody, memory: newMemory(c.Memory), log: c.Logger, onResult: c.OnResult}
	if h.maxBody <= 0 {
		h.maxBody = MaxBody
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h
}

// answer is what a request is told.
type answer struct {
	code     int
	Delivery string `json:"delivery"`
	Status   string `json:"status"`
	Message  string `json:"message,omitempty"`
}

const (
	statusIgnored = "ignored"
	statusError   = "error"
)

func refuse(code int, message string) answer {
	return answer{code: code, Status: statusError, Message: message}
}

// ServeHTTP answers one request. It is safe for concurrent use.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	a := h.serve(w, r)
	a.Delivery, _ = token(r.Header, "X-GitHub-Delivery")
	switch a.code {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.code)
	// Nobody is left to tell when the answer cannot be written.
	_ = json.NewEncoder(w).Encode(a)
	if h.onResult != nil {
		h.onResult(a.code, a.Status, time.Since(started))
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) answer {
	if refused, ok := h.checkForm(r); !ok {
		return refused
	}
	body, release, err := h.memory.read(r.Context(), http.MaxBytesReader(w, r.Body, h.maxBody), r.ContentLength)
	defer release()
	if err != nil {
		return unreadable(err)
	}
	if err := h.verifier.Verify(single(r.Header, "X-Hub-Signature-256"), body); err != nil {
		return refuse(http.StatusUnauthorized, "the signature does not match")
	}
	return h.deliver(r.Context(), r.Header, body)
}

// checkForm looks at what can be known without the body.
func (h *Handler) checkForm(r *http.Request) (refused answer, ok bool) {
	mediaType, _, err := mime.ParseMediaType(single(r.Header, "Content-Type"))
	encoding := strings.ToLower(strings.Join(r.Header.Values("Content-Encoding"), ","))
	switch {
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "deliveries are sent with POST"), false
	case r.ContentLength > h.maxBody:
		return refuse(http.StatusRequestEntityTooLarge, "the body is too large"), false
	case err != nil || mediaType != "application/json":
		return refuse(http.StatusUnsupportedMediaType, "the content type must be application/json: set it in the webhook's settings"), false
	case encoding != "" && encoding != "identity":
		return refuse(http.StatusUnsupportedMediaType, "the body must not be compressed"), false
	}
	return answer{}, true
}

func unreadable(err error) answer {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refuse(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	if errors.Is(err, errBusy) {
		return refuse(http.StatusServiceUnavailable, "too many deliveries at once")
	}
	return refuse(http.StatusBadRequest, "the body could not be read")
}

// deliver looks inside a body whose signature is good.
func (h *Handler) deliver(ctx context.Context, header http.Header, body []byte) answer {
	guid, okGUID := token(header, "X-GitHub-Delivery")
	name, okName := token(header, "X-GitHub-Event")
	if !okGUID || !okName {
		return refuse(http.StatusBadRequest, "X-GitHub-Delivery and X-GitHub-Event are needed once each")
	}
	ignored := answer{code: http.StatusOK, Status: statusIgnored}
	if !subscribedName(name) {
		return ignored
	}
	ev, err := Parse(name, body)
	if err != nil {
		h.log.WarnContext(ctx, "signed delivery cannot be read", "delivery", guid, "event", name, "err", err)
		return refuse(http.StatusBadRequest, "the payload does not fit the event")
	}
	sub, ok := find(ev.Name, ev.Action)
	if !ok || !wanted(ev) || h.echo(ev) {
		return ignored
	}
	ev.Delivery = guid
	result, err := h.accepter.Accept(ctx, Delivery{
		GUID: guid, Event: ev, Header: kept(header), Body: body, SHA256: sha256.Sum256(body), Repeatable: sub.repeatable,
	})
	if err != nil {
		h.log.ErrorContext(ctx, "delivery was not stored", "delivery", guid, "event", ev.String(), "kind", fault.KindOf(err).String(), "err", err)
		return refuse(http.StatusServiceUnavailable, "the delivery could not be stored")
	}
	if result == Duplicate {
		return answer{code: http.StatusOK, Status: string(Duplicate)}
	}
	return answer{code: http.StatusAccepted, Status: string(Accepted)}
}

// single is the value of a header that was sent once; "" otherwise, so that
// nobody can show one value to us and another to whoever stands before us.
func single(h http.Header, name string) string {
	if v := h.Values(name); len(v) == 1 {
		return v[0]
	}
	return ""
}

// token is the value of a header that holds a GUID or an event's name.
func token(h http.Header, name string) (string, bool) {
	v := single(h, name)
	if v == "" || len(v) > maxToken {
		return "", false
	}
	for _, c := range []byte(v) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return "", false
		}
	}
	return v, true
}

// keptHeaders are the headers stored with a delivery. All others are dropped:
// GitHub itself has sent the webhook's secret in one.
var keptHeaders = []string{
	"Content-Type",
	"User-Agent",
	"X-Github-Delivery",
	"X-Github-Enterprise-Host",
	"X-Github-Enterprise-Version",
	"X-Github-Event",
	"X-Github-Hook-Id",
	"X-Github-Hook-Installation-Target-Id",
	"X-Github-Hook-Installation-Target-Type",
}

func kept(h http.Header) map[string]string {
	out := make(map[string]string, len(keptHeaders))
	for _, name := range keptHeaders {
		if v := single(h, name); v != "" && len(v) <= maxHeader {
			out[name] = v
		}
	}
	return out
}

// echo reports whether the event is about a check suite of our own making. To
// re-run one is another matter: somebody asks for it.
func (h *Handler) echo(ev review.Event) bool {
	return ev.Name == "check_suite" && ev.Action != "rerequested" && ev.Check != nil && ev.Check.AppID != 0 && ev.Check.AppID == h.appID
}
