// Package intake takes what a team's CI uploads: SARIF logs with the results of
// its own tools, for one head of one repository.
//
// Each repository has a key of its own, made from one secret of the operator's,
// so that the CI of one cannot speak for another. Nothing is looked up, stored
// or parsed before the signature was checked. Where uploads are kept, and which
// reviews wait for them, it leaves to its Keeper.
package intake

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"assay/internal/sarif"
)

// The headers of an upload.
const (
	SignatureHeader = "X-Assay-Signature-256"
	TimestampHeader = "X-Assay-Timestamp"
)

// maxSkew is how far the clock of an upload may be from ours. A captured
// upload can be sent again for so long, and changes nothing then.
const maxSkew = 5 * time.Minute

// Upload is a log that was taken.
type Upload struct {
	RepoID   int64
	HeadSHA  string
	Category string
	Log      sarif.Log
	Received time.Time
}

// Keeper knows repositories and keeps uploads. It must be safe for concurrent
// use.
type Keeper interface {
	// Repository is the ID of a repository that the app is installed on.
	Repository(ctx context.Context, owner, name string) (id int64, ok bool, err error)
	// Keep keeps the upload, in the place of an older one of its category. An
	// error that is fault.Invalid is told to whoever sent it.
	Keep(ctx context.Context, u Upload) error
}

// Key is the key of a repository ("owner/name", in any case): 64 hexadecimal
// digits, which as text are the key of the HMAC.
func Key(secret, repository string) (string, error) {
	if !repositoryForm.MatchString(repository) {
		return "", fmt.Errorf("%q is not a repository: write it as owner/name", repository)
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "assay sarif upload v1\x00"+strings.ToLower(repository), sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive the key of %s: %w", repository, err)
	}
	return hex.EncodeToString(key), nil
}

// Sign is the signature of an upload: over its time in seconds since 1970, its
// query as it stands in the URL, and its body as it is sent.
func Sign(key, timestamp, query string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%s\n", timestamp, query)
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// signed reports whether the request carries a signature that is right and
// recent.
func (h *Handler) signed(r *http.Request, repository string, body []byte) bool {
	key, err := Key(h.secret, repository)
	if err != nil {
		return false
	}
	timestamp := r.Header.Get(TimestampHeader)
	want := Sign(key, timestamp, r.URL.RawQuery, body)
	if !hmac.Equal([]byte(r.Header.Get(SignatureHeader)), []byte(want)) {
		return false
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	skew := h.now().Unix() - seconds
	return skew >= -int64(maxSkew.Seconds()) && skew <= int64(maxSkew.Seconds())
}
