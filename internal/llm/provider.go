package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"assay/internal/fault"
	"assay/internal/secret"
)

const (
	// maxAnswer bounds an answer as it comes over the wire. 100,000 tokens,
	// streamed one by one in the wordiest of the formats, stay below.
	maxAnswer = 5 << 20
	// maxRefusal bounds what is read of an error's body.
	maxRefusal = 64 << 10
)

// wire is a dialect: how requests are written and answers read.
type wire interface {
	// defaultBase is the vendor's own base URL.
	defaultBase() string
	// path is what follows the base URL.
	path(model string) string
	// authorize puts the key into the headers, and whatever else they need.
	authorize(h http.Header, base *url.URL, key string)
	// body is the request, to be marshalled.
	body(model, origin string, req *Request, w ways) any
	// reader reads one answer.
	reader(origin string) reader
}

// reader puts an answer together.
type reader interface {
	// event takes the data of an event of the stream.
	event(data []byte) error
	// whole takes an answer that was not streamed.
	whole(data []byte) error
	// answer is what there is. It is not complete if done is false.
	answer() (resp Response, done bool)
}

// provider is an endpoint that serves models.
type provider struct {
	name    string
	dialect Dialect
	wire    wire
	base    *url.URL
	vendor  bool // base is the vendor's own
	key     secret.Secret
	client  *http.Client
	places  *places
	cfg     *Config
}

func newProvider(name string, p Provider, cfg *Config) (*provider, error) {
	dialects := map[Dialect]wire{OpenAI: openAI{}, Anthropic: anthropic{}, Gemini: gemini{}}
	wire, ok := dialects[p.Dialect]
	if !ok {
		return nil, fmt.Errorf("there is no dialect %q", p.Dialect)
	}
	base, err := baseURL(cmp.Or(p.BaseURL, wire.defaultBase()))
	if err != nil {
		return nil, err
	}
	size := cmp.Or(p.Concurrent, defaultConcurrent)
	if size < 1 || size > maxConcurrent {
		return nil, fmt.Errorf("Concurrent is %d, want from 1 to %d", size, maxConcurrent)
	}
	if key := p.Key.Reveal(); strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the key has characters in it that a header cannot carry")
	}
	return &provider{
		name: name, dialect: p.Dialect, wire: wire, base: base, vendor: base.String() == wire.defaultBase(), key: p.Key, cfg: cfg,
		client: newClient(base, cfg),
		places: &places{name: name, maxWait: cfg.MaxWait, random: cfg.Rand, size: size, free: size},
	}, nil
}

func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("the base URL is not a URL with a scheme and a host")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the base URL is neither http nor https")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the base URL has a user, a query or a fragment in it")
	case isMetadata(u.Hostname()):
		return nil, errors.New("the base URL leads to a metadata service")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// post makes a request and reads its answer. With an error, the answer is what
// there was of it.
func (p *provider) post(ctx context.Context, e *endpoint, req *Request, w ways) (Response, error) {
	body, err := json.Marshal(p.wire.body(e.model, e.name, req, w))
	if err != nil {
		return Response{}, fault.New(fault.Invalid, fmt.Errorf("%s: a request that cannot be written as JSON", e.name))
	}
	ctx, watch := newWatch(ctx, p.cfg.FirstByte, p.cfg.Idle)
	defer watch.stop()
	resp, err := p.send(ctx, e.model, body)
	if err != nil {
		return Response{}, p.transportError(ctx, e.name, err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is to be done about it
	if resp.StatusCode != http.StatusOK {
		hint, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what came of it
		return Response{}, statusError(e.name, resp.StatusCode, resp.Header, hint, time.Now())
	}
	r := p.wire.reader(e.name)
	err = read(resp, r, watch)
	answer, done := r.answer()
	if err == nil && !done {
		err = errCut
	}
	if err != nil {
		return answer, p.transportError(ctx, e.name, err)
	}
	return answer, nil
}

func (p *provider) send(ctx context.Context, model string, body []byte) (*http.Response, error) {
	target := *p.base
	path, query, _ := strings.Cut(p.wire.path(model), "?")
	target.Path, target.RawQuery = target.Path+path, query
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream, application/json")
	req.Header.Set("User-Agent", "assay")
	p.wire.authorize(req.Header, p.base, p.key.Reveal())
	return p.client.Do(req)
}

// read takes an answer in, streamed or, from a server that does not care for
// what it was asked, whole.
func read(resp *http.Response, r reader, watch *watch) error {
	body := &bounded{body: resp.Body, left: maxAnswer}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // none is as good as a wrong one
	if kind == "application/json" {
		data, err := io.ReadAll(&watched{body, watch})
		if err != nil {
			return err
		}
		return r.whole(data)
	}
	events := newEvents(body, watch.alive)
	for {
		data, err := events.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if string(data) == "[DONE]" {
			return nil
		}
		if err := r.event(data); err != nil {
			return err
		}
	}
}

// bounded is a body that fails when it is longer than it may be.
type bounded struct {
	body io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.body.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// watched tells the watch of each read.
type watched struct {
	body  io.Reader
	watch *watch
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.watch.alive()
	}
	return n, err
}
