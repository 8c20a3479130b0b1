package ghfake

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// caller is who asks. Nil fields are not known; an anonymous caller has none.
type caller struct {
	app   *App
	inst  *Installation
	token *token
}

// describe writes what a token allows into the record.
func (c caller) describe(r *Request) {
	if c.app != nil {
		r.App = c.app.ID
	}
	if c.inst != nil {
		r.Installation = c.inst.ID
		r.Permissions, r.Repositories = c.token.permissions, c.token.repoNames
	}
}

// authenticate finds out who asks.
func (s *Server) authenticate(c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	scheme, credential, _ := strings.Cut(c.req.Header.Get("Authorization"), " ")
	bearer := strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token")
	var err error
	switch {
	case c.route.auth == asApp:
		if !bearer || strings.HasPrefix(credential, tokenPrefix) {
			return problem(http.StatusUnauthorized, "A JSON web token could not be decoded")
		}
		c.caller.app, err = s.appOf(credential)
	case !bearer && c.route.auth == asAnyone:
		return nil
	case !bearer:
		return problem(http.StatusUnauthorized, "Requires authentication")
	case c.route.auth == asAnyone && !strings.HasPrefix(credential, tokenPrefix):
		c.caller.app, err = s.appOf(credential)
	default:
		err = s.authenticateToken(c, credential)
	}
	return err
}

func (s *Server) authenticateToken(c *call, credential string) error {
	t := s.tokens[credential]
	if t == nil || !s.cfg.Now().Before(t.expires) {
		return problem(http.StatusUnauthorized, "Bad credentials")
	}
	c.caller = caller{app: t.inst.App, inst: t.inst, token: t}
	if !t.inst.suspendedAt.IsZero() {
		return problem(http.StatusForbidden, "This installation has been suspended")
	}
	return nil
}

// authorize finds the repository of the path and asks whether the token
// reaches it, and may do there what the operation does.
func (s *Server) authorize(c *call) error {
	t := c.caller.token
	if t == nil || c.route.auth != asInstallation {
		return nil
	}
	if owner, inRepo := c.params["owner"]; inRepo {
		c.repo = s.repos[strings.ToLower(owner+"/"+c.params["repo"])]
		if c.repo == nil || !t.reaches(c.repo) {
			return notFound()
		}
	}
	if !t.allows(c.route.needs) {
		e := problem(http.StatusForbidden, "Resource not accessible by integration")
		e.header = http.Header{"X-Accepted-Github-Permissions": {acceptedPermissions(c.route.needs)}}
		return e
	}
	return nil
}

// maxTokenAge is how far ahead an app's token may expire
// (https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
const maxTokenAge = 10 * time.Minute

// appOf verifies an app's JSON web token. The words of the refusals are
// GitHub's.
func (s *Server) appOf(signed string) (*App, error) {
	var app *App
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation(), jwt.WithJSONNumber())
	claims := jwt.MapClaims{}
	_, err := parser.ParseWithClaims(signed, claims, func(*jwt.Token) (any, error) {
		var err error
		if app, err = s.issuer(claims["iss"]); err != nil {
			return nil, err
		}
		return (*rsa.PublicKey)(&app.Key.PublicKey), nil
	})
	if refusal, is := errors.AsType[*apiError](err); is {
		return nil, refusal
	}
	if err != nil {
		return nil, problem(http.StatusUnauthorized, "A JSON web token could not be decoded")
	}
	return app, s.checkTimes(claims)
}

// issuer finds the app by the claim "iss": its ID, as a number or a string, or
// its client ID.
func (s *Server) issuer(claim any) (*App, error) {
	var name string
	switch v := claim.(type) {
	case json.Number:
		name = v.String()
	case string:
		name = v
	default:
		return nil, problem(http.StatusUnauthorized, "'Issuer' claim ('iss') must be an Integer")
	}
	for _, a := range s.apps {
		if name == strconv.FormatInt(a.ID, 10) || name == a.ClientID {
			return a, nil
		}
	}
	return nil, problem(http.StatusNotFound, "Integration not found")
}

func (s *Server) checkTimes(claims jwt.MapClaims) error {
	now := s.cfg.Now()
	issued, hasIssued := claimTime(claims["iat"])
	expires, hasExpires := claimTime(claims["exp"])
	switch {
	case !hasIssued || issued.After(now):
		return problem(http.StatusUnauthorized, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	case !hasExpires || !expires.After(now):
		return problem(http.StatusUnauthorized, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case expires.After(now.Add(maxTokenAge)):
		return problem(http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future")
	default:
		return nil
	}
}

func claimTime(claim any) (time.Time, bool) {
	n, isNumber := claim.(json.Number)
	seconds, err := n.Float64()
	if !isNumber || err != nil || seconds != math.Trunc(seconds) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// permission is a permission with its level.
type permission struct {
	name  string
	level level
}

// level is how much a permission allows.
type level int

const (
	read level = iota + 1
	write
	admin
)

func levelOf(name string) level {
	switch name {
	case "read":
		return read
	case "write":
		return write
	case "admin":
		return admin
	default:
		return 0
	}
}

func (l level) String() string { return [...]string{"none", "read", "write", "admin"}[l] }

func acceptedPermissions(needs []permission) string {
	words := make([]string, len(needs))
	for i, n := range needs {
		words[i] = fmt.Sprintf("%s=%s", n.name, n.level)
	}
	return strings.Join(words, "; ")
}
