package ghfake

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestAppToken(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name    string
		mutate  func(jwt.MapClaims)
		status  int
		message string
	}{
		{"issuer as a string", func(jwt.MapClaims) {}, 200, `"slug":"assay"`},
		{"issuer as a number", func(c jwt.MapClaims) { c["iss"] = w.app.ID }, 200, `"slug":"assay"`},
		{"issuer as a client ID", func(c jwt.MapClaims) { c["iss"] = w.app.ClientID }, 200, `"slug":"assay"`},
		{"ten minutes ahead", func(c jwt.MapClaims) { c["exp"] = w.clock.Now().Add(10 * time.Minute).Unix() }, 200, ""},
		{"too far ahead", func(c jwt.MapClaims) { c["exp"] = w.clock.Now().Add(10*time.Minute + time.Second).Unix() }, 401, "'Expiration time' claim ('exp') is too far in the future"},
		{"expired", func(c jwt.MapClaims) { c["exp"] = w.clock.Now().Unix() }, 401, "'Expiration time' claim ('exp') must be a numeric value representing the future time"},
		{"no expiry", func(c jwt.MapClaims) { delete(c, "exp") }, 401, "'Expiration time' claim ('exp') must be"},
		{"issued in the future", func(c jwt.MapClaims) { c["iat"] = w.clock.Now().Add(time.Second).Unix() }, 401, "'Issued at' claim ('iat') must be an Integer"},
		{"not issued", func(c jwt.MapClaims) { delete(c, "iat") }, 401, "'Issued at' claim ('iat') must be an Integer"},
		{"issued at a fraction", func(c jwt.MapClaims) { c["iat"] = float64(w.clock.Now().Unix()) - 0.5 }, 401, "'Issued at' claim ('iat') must be an Integer"},
		{"no issuer", func(c jwt.MapClaims) { delete(c, "iss") }, 401, "'Issuer' claim ('iss') must be an Integer"},
		{"unknown issuer", func(c jwt.MapClaims) { c["iss"] = 7 }, 404, "Integration not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.do(get, "/app", w.jwt(tt.mutate), "").want(t, tt.status, tt.message)
		})
	}
	t.Run("signed by another key", func(t *testing.T) {
		other, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			t.Fatal(err)
		}
		forged := *w
		forged.app = &App{ID: w.app.ID, Key: other}
		w.do(get, "/app", forged.jwt(), "").want(t, 401, "A JSON web token could not be decoded")
	})
	t.Run("unsigned", func(t *testing.T) {
		none := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iss": w.app.ID})
		signed, err := none.SignedString(jwt.UnsafeAllowNoneSignatureType)
		if err != nil {
			t.Fatal(err)
		}
		w.do(get, "/app", signed, "").want(t, 401, "could not be decoded")
	})
	t.Run("nothing", func(t *testing.T) { w.do(get, "/app", "", "").want(t, 401, "could not be decoded") })
	t.Run("an installation token", func(t *testing.T) { w.do(get, "/app", w.token(""), "").want(t, 401, "could not be decoded") })
	t.Run("an app token for a repository", func(t *testing.T) {
		w.do(get, "/repos/octo-org/shop", w.jwt(), "").want(t, 401, "Bad credentials")
	})
	t.Run("no token for a repository", func(t *testing.T) {
		w.do(get, "/repos/octo-org/shop", "", "").want(t, 401, "Requires authentication")
	})
}

func TestTokenIsNarrowed(t *testing.T) {
	w := newWorld(t)
	other := w.srv.AddRepo("octo-org/other", Files{"a": Text("a")}, Private())
	far := w.srv.AddRepo("elsewhere/far", Files{"a": Text("a")})
	reader := w.token(`{"permissions":{"issues":"read","pull_requests":"read"}}`)
	whole := w.token("")
	narrow := w.token(`{"repositories":["shop"],"permissions":{"checks":"write","contents":"read"}}`)
	byID := w.token(fmt.Sprintf(`{"repository_ids":[%d]}`, other.ID))

	for _, tt := range []struct {
		name, token, method, path, body string
		status                          int
	}{
		{"whole reaches all of the account", whole, get, "/repos/octo-org/other", "", 200},
		{"whole does not reach other accounts", whole, get, "/repos/elsewhere/far", "", 404},
		{"no such repository", whole, get, "/repos/octo-org/none", "", 404},
		{"narrow reaches its own", narrow, get, "/repos/octo-org/shop", "", 200},
		{"narrow does not reach others", narrow, get, "/repos/octo-org/other", "", 404},
		{"by ID reaches its own", byID, get, "/repos/octo-org/other", "", 200},
		{"by ID does not reach others", byID, get, "/repos/octo-org/shop", "", 404},
		{"narrow may read contents", narrow, get, "/repos/octo-org/shop/contents/main.go", "", 200},
		{"narrow may not read pulls", narrow, get, "/repos/octo-org/shop/pulls/1", "", 403},
		{"narrow may not comment", narrow, post, "/repos/octo-org/shop/issues/1/comments", `{"body":"x"}`, 403},
		{"reading is not writing", whole, post, "/repos/octo-org/shop/statuses/" + w.pull.HeadSHA(), `{"state":"success"}`, 403},
		{"nor for what is granted to read", reader, post, "/repos/octo-org/shop/issues/1/comments", `{"body":"x"}`, 403},
		{"pull requests: write is enough to comment", whole, post, "/repos/octo-org/shop/issues/1/comments", `{"body":"x"}`, 201},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.do(tt.method, tt.path, tt.token, tt.body)
			r.want(t, tt.status)
			if tt.status == 403 {
				r.want(t, 403, "Resource not accessible by integration")
			}
		})
	}
	tokens := fmt.Sprintf("/app/installations/%d/access_tokens", w.inst.ID)
	w.do(post, tokens, w.jwt(), `{"permissions":{"contents":"write"}}`).want(t, 422, "not granted to this installation")
	w.do(post, tokens, w.jwt(), `{"repositories":["none"]}`).want(t, 422, "does not exist or is not accessible")
	w.do(post, tokens, w.jwt(), fmt.Sprintf(`{"repository_ids":[%d]}`, far.ID)).want(t, 422, "does not exist or is not accessible")
	w.do(post, tokens, w.jwt(), `{"repositories":["octo-org/shop"]}`).want(t, 422, "does not exist or is not accessible")
	w.violated(OverLimit)
	w.do(post, tokens, w.jwt(), `{"permissions":{"checks":"admin"}}`).want(t, 422, "Invalid request.")
	w.violated(Malformed)
	w.do(post, tokens, w.jwt(), "null").want(t, 422)
	w.violated(Malformed)
	w.do(post, "/app/installations/1/access_tokens", w.jwt(), "{}").want(t, 404)
}

func TestTokenIsRecorded(t *testing.T) {
	w := newWorld(t)
	token := w.token(`{"repositories":["shop"],"permissions":{"checks":"write"}}`)
	w.srv.ForgetRequests()
	w.do(get, "/api/v3/repos/octo-org/shop/commits/topic/check-runs", token, "").want(t, 200)
	want := []Request{{
		Time: w.clock.Now(), Method: "GET", Path: "/repos/octo-org/shop/commits/topic/check-runs",
		Route: "/repos/{owner}/{repo}/commits/{ref:.+}/check-runs", App: w.app.ID, Installation: w.inst.ID, Status: 200,
		Permissions: map[string]string{"metadata": "read", "checks": "write"}, Repositories: []string{"octo-org/shop"},
	}}
	if diff := cmp.Diff(want, w.srv.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTokenEnds(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	if !strings.HasPrefix(token, "ghs_") || len(token) <= 40 {
		t.Errorf("token %q, want ghs_ and more than 40 characters", token)
	}
	w.clock.advance(time.Hour - time.Second)
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 200)
	w.clock.advance(time.Second)
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 401, "Bad credentials")

	token = w.token("")
	w.do(del, "/installation/token", token, "").want(t, 204)
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 401, "Bad credentials")

	token = w.token("")
	tokens := fmt.Sprintf("/app/installations/%d/access_tokens", w.inst.ID)
	w.srv.Suspend(w.inst, "alice")
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 403, "suspended")
	w.do(post, tokens, w.jwt(), "{}").want(t, 403, "suspended")
	w.do(get, "/app/installations", w.jwt(), "").want(t, 200, `"suspended_by":{`)
	w.srv.Unsuspend(w.inst, "alice")
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 200)

	w.srv.Uninstall(w.inst, "alice")
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 401, "Bad credentials")
	w.do(post, tokens, w.jwt(), "{}").want(t, 404, "Not Found")
}

func TestGhinstallationAgrees(t *testing.T) {
	// The library signs with the real clock.
	w := newWorld(t, func(c *Config) { c.Now = time.Now })
	apps, err := ghinstallation.NewAppsTransport(http.DefaultTransport, w.app.ID, w.app.KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	apps.BaseURL = w.http.URL + "/api/v3"
	tr := ghinstallation.NewFromAppsTransport(apps, w.inst.ID)
	tr.InstallationTokenOptions = &github.InstallationTokenOptions{}
	client, err := github.NewClient(&http.Client{Transport: tr}).WithEnterpriseURLs(w.http.URL, w.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	repo, _, err := client.Repositories.Get(context.Background(), "octo-org", "shop")
	if err != nil || repo.GetDefaultBranch() != "main" {
		t.Fatalf("repository %v, %v", repo, err)
	}
}

func TestGrantedPermissions(t *testing.T) {
	w := newWorld(t)
	w.srv.Grant(w.inst, map[string]string{"contents": "read"})
	token := w.token("")
	w.do(get, "/repos/octo-org/shop/contents/main.go", token, "").want(t, 200)
	w.do(get, "/repos/octo-org/shop/pulls", token, "").want(t, 403)
}

func TestCollaborator(t *testing.T) {
	w := newWorld(t)
	private := w.srv.AddRepo("octo-org/private", Files{"a": Text("a")}, Private())
	for login, role := range map[string]string{"wendy": "write", "max": "maintain", "tria": "triage", "adam": "admin"} {
		w.srv.SetPermission(w.repo, login, role)
	}
	w.srv.SetPermission(private, "wendy", "read")
	token := w.token("")
	for _, tt := range []struct{ repo, login, permission, role string }{
		{"shop", "wendy", "write", "write"},
		{"shop", "max", "write", "maintain"},
		{"shop", "tria", "read", "triage"},
		{"shop", "adam", "admin", "admin"},
		{"shop", "alice", "read", "read"},
		{"shop", "octo-org", "admin", "admin"},
		{"private", "wendy", "read", "read"},
		{"private", "alice", "none", "none"},
	} {
		r := w.do(get, "/repos/octo-org/"+tt.repo+"/collaborators/"+tt.login+"/permission", token, "")
		r.want(t, 200)
		if r.field("permission") != tt.permission || r.field("role_name") != tt.role {
			t.Errorf("%s on %s: %s", tt.login, tt.repo, r.body)
		}
	}
	w.do(get, "/repos/octo-org/shop/collaborators/stranger/permission", token, "").want(t, 404)
}

func TestInstallationsAreListed(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		account := "org-" + strconv.Itoa(i)
		w.srv.AddRepo(account+"/a", Files{"a": Text("a")})
		w.srv.Install(w.app, account, "a")
	}
	r := w.do(get, "/app/installations?per_page=3", w.jwt(), "")
	r.want(t, 200)
	if got := r.list(t); len(got) != 3 || !strings.Contains(r.header.Get("Link"), `page=2&per_page=3>; rel="next"`) {
		t.Errorf("%d installations, Link %q", len(got), r.header.Get("Link"))
	}
	if got := w.do(get, "/app/installations?per_page=3&page=2", w.jwt(), "").list(t); len(got) != 1 || got[0]["repository_selection"] != "selected" {
		t.Errorf("second page %v", got)
	}
	var repos struct {
		Total int `json:"total_count"`
	}
	if err := json.Unmarshal(w.do(get, "/installation/repositories", w.token(""), "").body, &repos); err != nil || repos.Total != 1 {
		t.Errorf("%d repositories, %v", repos.Total, err)
	}
}
