package ghapp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"assay/internal/fault"
)

const (
	// maxAnswer bounds an answer after decompression, against one that blows up
	// in memory. A page of 100 files with their patches stays well below.
	maxAnswer = 32 << 20
	// maxRedirects is the number of renames that are followed.
	maxRedirects = 5
)

// NewTransport is what carries requests when Config.Transport is nil, for
// whoever wants to wrap it: net/http's own transport with bounds on each stage. The
// calls' contexts bound the whole.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment, // where the operator says all traffic goes
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    20,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  defaultCallTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// pinned sends requests to the API's host and to no other, since they carry
// credentials; bounds the answers; and turns refusals into classified errors.
//
// That a RoundTripper returns an error for an answer with a status of 400 and
// more is against the letter of its contract. It is done here because this is
// the one place that every answer passes, those that ghinstallation asks for
// too, before either library draws its own conclusions: go-github v62 does not
// know 429, and ghinstallation leaves bodies of refusals open.
type pinned struct {
	next  http.RoundTripper
	api   *url.URL
	clock *clock
	bound int64 // of an answer, in bytes
}

// RoundTrip sends req if it goes to the API.
func (t *pinned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.api.Scheme || !strings.EqualFold(req.URL.Host, t.api.Host) {
		closeBody(req)
		return nil, fault.New(fault.Invalid, fmt.Errorf("refused to send a request to %s://%s: GitHub's API is at %s://%s",
			req.URL.Scheme, req.URL.Host, t.api.Scheme, t.api.Host))
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, classifyTransport(err)
	}
	skew := t.clock.observe(resp)
	resp.Body = &boundedBody{body: resp.Body, left: t.bound}
	if resp.StatusCode >= http.StatusBadRequest {
		defer func() { _ = resp.Body.Close() }()
		return nil, classifyAnswer(resp, req.Header.Get("Authorization"), t.clock.now(), skew)
	}
	return resp, nil
}

// redirects follows GitHub's redirects for renamed repositories with method
// and body kept, as GitHub asks; net/http would turn a POST into a GET. The
// host is watched by pinned below.
type redirects struct{ next http.RoundTripper }

// RoundTrip sends req, and sends it on where the answer says so.
func (t *redirects) RoundTrip(req *http.Request) (*http.Response, error) {
	for hop := 0; ; hop++ {
		resp, err := t.next.RoundTrip(req)
		if err != nil || !redirected(resp) {
			return resp, err
		}
		location := resp.Header.Get("Location")
		_ = resp.Body.Close()
		to, err := req.URL.Parse(location)
		if err != nil || location == "" {
			return nil, fault.New(fault.Transient, fmt.Errorf("GitHub answered %d without a usable Location", resp.StatusCode))
		}
		if hop == maxRedirects {
			return nil, fault.New(fault.Transient, fmt.Errorf("GitHub redirected more than %d times", maxRedirects))
		}
		if req, err = rewound(req); err != nil {
			return nil, err
		}
		req.URL, req.Host = to, ""
	}
}

func redirected(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// rewound is req, whose body was sent, ready to be sent once more.
func rewound(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	if req.GetBody == nil {
		return nil, fmt.Errorf("%s %s cannot be sent again: its body was read", req.Method, req.URL.Path)
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("read the body of %s %s again: %w", req.Method, req.URL.Path, err)
	}
	again.Body = body
	return again, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

var errAnswerTooLarge = errors.New("GitHub's answer is larger than anything it should send")

// boundedBody reads at most left bytes, and classifies what goes wrong in the
// middle of an answer.
type boundedBody struct {
	body io.ReadCloser
	left int64
}

// Read reads from the answer.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fault.New(fault.Invalid, errAnswerTooLarge)
	}
	// One byte more than is left tells an answer at the bound from one beyond.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, fault.New(fault.Invalid, errAnswerTooLarge)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // a reader returns io.EOF itself
		err = classifyTransport(err)
	}
	return n, err
}

// Close closes the answer.
func (b *boundedBody) Close() error { return b.body.Close() }
