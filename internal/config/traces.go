package config

import (
	"errors"
	"net/url"
	"strings"

	"assay/internal/secret"
)

const (
	// defaultCollector is where OpenTelemetry's collector listens
	// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
	defaultCollector = "http://localhost:4318"
	// tracesPath is appended to the endpoint of all signals, as the same page
	// says.
	tracesPath = "/v1/traces"
)

func setTracesEndpoint(c *Config, text string) error {
	// Plain http is for a collector beside the service: what it is sent are
	// names and durations.
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("is not a URL with a scheme and a host")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is neither http nor https")
	case u.User != nil:
		return errors.New("has a user or password in it (use OTEL_EXPORTER_OTLP_HEADERS)")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("has a query or fragment in it")
	}
	c.Traces.URL = strings.TrimRight(u.String(), "/") + tracesPath
	return nil
}

// setTracesExporter runs after setTracesEndpoint: the table's order.
func setTracesExporter(c *Config, text string) error {
	switch text {
	case "otlp":
		if c.Traces.URL == "" {
			c.Traces.URL = defaultCollector + tracesPath
		}
	case "none":
		c.Traces.URL = ""
	default:
		return errors.New("is an exporter that Assay does not have")
	}
	return nil
}

// setTracesHeaders reads name=value pairs with percent-encoded values.
func setTracesHeaders(c *Config, text string) error {
	c.Traces.Headers = make(map[string]secret.Secret)
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		plain, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || name == "" || plain == "" || err != nil {
			return errors.New("is not a list of name=value")
		}
		c.Traces.Headers[name] = secret.New(plain)
	}
	return nil
}
