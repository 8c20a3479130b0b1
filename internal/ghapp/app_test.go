package ghapp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestNewReadsKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(testPEM(), []byte("\n"), []byte("\nAAAA"), 1)
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&testKey().PublicKey)})
	tests := []struct {
		name    string
		key     []byte
		wantErr string
	}{
		{"PKCS#1", testPEM(), ""},
		{"PKCS#8", pkcs8(t, testKey()), ""},
		{"on one line", bytes.ReplaceAll(testPEM(), []byte("\n"), []byte(`\n`)), ""},
		{"empty", []byte(" \n"), "empty"},
		{"no PEM", []byte("hunter2-hunter2"), "not PEM"},
		{"damaged", broken, "PKCS#1"},
		{"elliptic", pkcs8(t, ec), "RSA"},
		{"public", public, "private key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Config{AppID: testApp, PrivateKey: tt.key})
			if tt.wantErr == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantKind(t, err, fault.Invalid)
			if !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("error %q, want one with %q", err, tt.wantErr)
			}
			for line := range strings.Lines(string(tt.key)) {
				if line = strings.TrimSpace(line); len(line) > 8 && !strings.HasPrefix(line, "-----") && strings.Contains(err.Error(), line) {
					t.Errorf("error %q repeats the key", err)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
	}{
		{"no app ID", Config{PrivateKey: testPEM()}},
		{"API URL without scheme", Config{AppID: 1, PrivateKey: testPEM(), APIURL: "ghe.example/api/v3"}},
		{"API URL with a password", Config{AppID: 1, PrivateKey: testPEM(), APIURL: "https://u:secret@ghe.example"}},
		{"API URL with a query", Config{AppID: 1, PrivateKey: testPEM(), APIURL: "https://ghe.example/?a"}},
		{"negative interval", Config{AppID: 1, PrivateKey: testPEM(), WriteInterval: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			wantKind(t, err, fault.Invalid)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q repeats a secret", err)
			}
		})
	}
}

// TestAPIURL holds that every request, that for the token too, keeps the path
// of an own server.
func TestAPIURL(t *testing.T) {
	tests := []struct{ api, want string }{
		{"", "https://api.github.com/"},
		{"https://api.github.com", "https://api.github.com/"},
		{"https://ghe.example/api/v3", "https://ghe.example/api/v3/"},
		{"https://ghe.example/api/v3/", "https://ghe.example/api/v3/"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/"},
	}
	for _, tt := range tests {
		t.Run(tt.api, func(t *testing.T) {
			var got []string
			a := quick(t, Config{APIURL: tt.api, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				got = append(got, r.Method+" "+r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
				return withTokens(func(*http.Request) (*http.Response, error) {
					return answer(200, `{"id":3,"output":{"annotations_count":0}}`), nil
				})(r)
			})})
			if _, err := a.Repository(testInstall, testRepo, ForReview).AnnotationCount(within(t), 3); err != nil {
				t.Fatal(err)
			}
			want := []string{"POST " + tt.want + "app/installations/7/access_tokens", "GET " + tt.want + "repos/octo/hello/check-runs/3"}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestApp(t *testing.T) {
	h := newHub(t)
	h.HandleFunc("GET /app", func(w http.ResponseWriter, r *http.Request) {
		claims := claimsOf(t, r)
		if claims.Issuer != "42" {
			t.Errorf("issuer %q", claims.Issuer)
		}
		now := time.Now()
		if iat := now.Sub(claims.IssuedAt.Time); iat < 55*time.Second || iat > 65*time.Second {
			t.Errorf("issued %v ago, want a minute", iat)
		}
		if exp := claims.ExpiresAt.Sub(now); exp <= 0 || exp >= 9*time.Minute {
			t.Errorf("expires in %v, want less than ten minutes", exp)
		}
		reply(w, 200, `{"id":42,"slug":"assay","name":"Assay","events":["pull_request"]}`)
	})
	got, err := h.app().App(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Identity{ID: 42, Slug: "assay", Name: "Assay", Events: []string{"pull_request"}}, got); d != "" {
		t.Error(d)
	}
}

// claimsOf checks the signature of an app token and reads it, whatever its
// times.
func claimsOf(t *testing.T, r *http.Request) jwt.RegisteredClaims {
	t.Helper()
	var claims jwt.RegisteredClaims
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		t.Fatalf("Authorization of %s: %q", r.URL.Path, r.Header.Get("Authorization"))
	}
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{"RS256"}))
	if _, err := parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return &testKey().PublicKey, nil }); err != nil {
		t.Fatal(err)
	}
	if parts := strings.Split(text, "."); len(parts) == 3 {
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		if bytes.Contains(body, []byte(".")) {
			t.Errorf("claims %s have times that are no whole seconds", body)
		}
	}
	return claims
}

// githubAt answers as GitHub does whose clock is ahead of ours by skew.
func githubAt(t *testing.T, skew time.Duration) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		now := time.Now().Add(skew)
		date := now.UTC().Format(http.TimeFormat)
		claims := claimsOf(t, r)
		switch {
		case claims.ExpiresAt.After(now.Add(10 * time.Minute)):
			return answer(401, `{"message":"'Expiration time' claim ('exp') is too far in the future"}`, "Date", date), nil
		case claims.ExpiresAt.Before(now):
			return answer(401, `{"message":"'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"}`, "Date", date), nil
		case claims.IssuedAt.After(now):
			return answer(401, `{"message":"'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"}`, "Date", date), nil
		case r.URL.Path == "/app":
			return answer(200, `{"id":42,"slug":"assay"}`, "Date", date), nil
		}
		return answer(201, tokenJSON(1, now.Add(time.Hour)), "Date", date), nil
	}
}

func TestWrongClockIsCorrected(t *testing.T) {
	for _, skew := range []time.Duration{-5 * time.Minute, 5 * time.Minute, -3 * time.Hour, 26 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := quick(t, Config{Transport: githubAt(t, skew)})
				if _, err := a.App(t.Context()); err != nil {
					t.Fatalf("with a clock %v off: %v", skew, err)
				}
				if got := a.ClockSkew(); (got - skew).Abs() > time.Second {
					t.Errorf("measured %v, want %v", got, skew)
				}
				key := tokenKey{installation: testInstall, repoID: 99}
				if _, err := a.tokens.get(t.Context(), key); err != nil {
					t.Fatalf("token with a clock %v off: %v", skew, err)
				}
			})
		})
	}
}

// TestWrongClockIsNamed holds that the error says what is wrong where GitHub
// goes on refusing.
func TestWrongClockIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := quick(t, Config{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			calls++
			return answer(401, `{"message":"'Expiration time' claim ('exp') is too far in the future"}`,
				"Date", time.Now().Add(-4*time.Minute).UTC().Format(http.TimeFormat)), nil
		})})
		_, err := a.App(t.Context())
		wantKind(t, err, fault.Unauthorized)
		if !strings.Contains(err.Error(), "clock is 4m0s ahead") {
			t.Errorf("error %q does not name the clock", err)
		}
		if calls != 2 {
			t.Errorf("%d calls, want one and one corrected", calls)
		}
	})
}

func TestOddDateSpoilsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last jwt.RegisteredClaims
		a := quick(t, Config{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			last = claimsOf(t, r)
			return answer(200, `{"id":42,"slug":"assay"}`, "Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), nil
		})})
		for range 2 {
			if _, err := a.App(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if off := time.Until(last.IssuedAt.Time) + jwtBackdate; off.Abs() > time.Second {
			t.Errorf("signed %v off after an answer with an odd Date", off)
		}
	})
}
