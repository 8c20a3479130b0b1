package llm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"assay/internal/fault"
)

// newClient makes a client that goes to base's host and nowhere else. It
// follows no redirect, and dials no metadata service, whatever a name resolves
// to at that moment.
func newClient(base *url.URL, cfg *Config) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: checkAddress}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                  cfg.Proxy,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           maxConcurrent,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if cfg.Wrap != nil {
		transport = cfg.Wrap(transport)
	}
	return &http.Client{
		Transport:     pinned{base: base, next: transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// pinned sends requests to one host alone: they carry its key.
type pinned struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends req if it goes to the host.
func (t pinned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.base.Scheme || req.URL.Host != t.base.Host {
		return nil, errOtherHost
	}
	return t.next.RoundTrip(req)
}

// CloseIdleConnections lets http.Client pass it on.
func (t pinned) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// metadata are the addresses at which clouds hand out credentials: IPv4 and
// IPv6 link-local, AWS's fd00:ec2::254 and Alibaba's 100.100.100.200.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("fd20:ce::254/128"), // Google's
}

// translated are IPv6 networks whose addresses hold an IPv4 one (RFC 6052, 6to4
// of RFC 3056), and where in them.
var translated = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

func forbidden(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range metadata {
		if prefix.Contains(addr) {
			return true
		}
	}
	for _, t := range translated {
		if b := addr.As16(); addr.Is6() && t.prefix.Contains(addr) && forbidden(netip.AddrFrom4([4]byte(b[t.at:t.at+4]))) {
			return true
		}
	}
	return !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast()
}

// isMetadata knows those addresses by name or number, without asking a resolver.
func isMetadata(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "metadata.google.internal") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && forbidden(addr)
}

// checkAddress is asked with the address that is about to be dialled.
func checkAddress(_, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil || forbidden(addr.Addr()) {
		return errForbidden
	}
	return nil
}

var (
	errForbidden = errors.New("its name leads to an address that is never dialled")
	errOtherHost = errors.New("refused to send a request to another host")
	errTooLarge  = fmt.Errorf("the answer is over %d MiB", maxAnswer>>20)
	errCut       = errors.New("the answer was cut before its end")
	errGarbage   = errors.New("the answer is not what this API answers with")
)

// transportError is the error of a request that failed on its way, or in the
// middle of its answer. The library's own errors are not shown: they quote URLs
// and what the other side has said.
func (p *provider) transportError(ctx context.Context, model string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if silence, ok := errors.AsType[*silenceError](context.Cause(ctx)); ok {
		return fault.New(fault.Transient, fmt.Errorf("%s: %w", model, silence))
	}
	if ctx.Err() != nil { // the caller's, or the guard's, who knows what to call it
		return fmt.Errorf("%s: %w", model, ctx.Err())
	}
	for _, known := range []error{errForbidden, errOtherHost} {
		if errors.Is(err, known) {
			return fault.New(fault.Unauthorized, fmt.Errorf("%s: %w", model, known))
		}
	}
	return fault.New(fault.Transient, fmt.Errorf("%s: %s", model, wayOf(err)))
}

// wayOf says in our own words what went wrong on the way.
func wayOf(err error) string {
	for _, known := range []error{errTooLarge, errCut, errGarbage} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var (
		dns     *net.DNSError
		errno   syscall.Errno
		timeout net.Error
	)
	switch {
	case errors.As(err, &dns):
		return "its host is not known"
	case errors.As(err, &errno):
		return "the connection failed: " + errno.Error()
	case strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "tls:"):
		return "its certificate or encryption is not accepted"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the connection timed out"
	}
	return "the connection failed or was cut"
}
