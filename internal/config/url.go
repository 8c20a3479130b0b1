package config

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// Where GitHub is unless told otherwise.
const (
	publicGitHub = "https://github.com"
	publicAPI    = "https://api.github.com/"
)

// baseURL checks a URL that others are built upon, and returns it without a
// slash at its end.
func baseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", errors.New("is not a URL with a scheme and a host")
	case u.User != nil:
		return "", errors.New("has a user or password in it")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("has a query or fragment in it")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("is neither http nor https")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", errors.New("would send credentials in the clear")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func setAPIURL(c *Config, text string) error {
	base, err := baseURL(text)
	if err != nil {
		return err
	}
	c.GitHub.APIURL = base + "/"
	return nil
}

// apiOf is the REST API of the GitHub at web: of github.com and of GitHub
// Enterprise Cloud with data residency (*.ghe.com) a host of its own, of GitHub
// Enterprise Server a path
// (https://docs.github.com/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api).
func apiOf(web string) string {
	u, err := url.Parse(web)
	if err != nil {
		return publicAPI // baseURL has parsed it before
	}
	switch host := strings.ToLower(u.Host); {
	case host == "github.com" || host == "www.github.com":
		return publicAPI
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://api." + host + "/"
	}
	return web + "/api/v3/"
}

// webOf is the way back from apiOf.
func webOf(api string) string {
	api = strings.TrimSuffix(api, "/")
	u, err := url.Parse(api)
	if err != nil {
		return publicGitHub // baseURL has parsed it before
	}
	host := strings.ToLower(u.Host)
	if host == "api.github.com" || strings.HasSuffix(host, ".ghe.com") {
		return "https://" + strings.TrimPrefix(host, "api.")
	}
	return strings.TrimSuffix(api, "/api/v3")
}

func isLocal(base string) bool {
	u, err := url.Parse(base)
	return err == nil && isLoopback(u.Hostname())
}

// isLoopback knows loopback by name or number, without asking a resolver.
func isLoopback(host string) bool {
	if host = strings.ToLower(host); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
