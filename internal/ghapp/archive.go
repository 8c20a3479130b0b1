package ghapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

const (
	// maxArchive is the largest archive that is read, compressed, in bytes.
	maxArchive = 200 << 20
	// archiveTimeout bounds the reading of one.
	archiveTimeout = 5 * time.Minute
)

// archive hands out the repository at the commits of a change.
type archive struct{ reads *contents }

// Open returns the archive that GitHub makes of a commit
// (https://docs.github.com/rest/repos/contents#download-a-repository-archive-tar).
func (a archive) Open(ctx context.Context, side review.Side) (io.ReadCloser, error) {
	repo := a.reads.repo
	ref, err := a.reads.ref(ctx, side)
	if err != nil {
		return nil, fmt.Errorf("download an archive of %s: %w", repo.repo, err)
	}
	body, err := repo.archive(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("download the archive of %s at %s: %w", repo.repo, ref, err)
	}
	return body, nil
}

func (r *Repository) archive(ctx context.Context, sha string) (io.ReadCloser, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	var at *url.URL
	err := r.read(ctx, func(ctx context.Context) (err error) {
		at, err = r.archiveAddress(ctx, sha)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.app.download(ctx, at)
}

// archiveAddress asks where the archive is: GitHub redirects to another host, by
// an address that is good for some minutes and needs no token.
func (r *Repository) archiveAddress(ctx context.Context, sha string) (*url.URL, error) {
	// Without following redirects, unlike all other requests.
	client := r.app.client(&authorized{tokens: r.app.tokens, key: r.key, next: r.app.direct})
	at := r.path("tarball/%s", sha)
	for range maxRedirects {
		req, err := client.NewRequest(http.MethodGet, at, nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.BareDo(ctx, req)
		if resp == nil || !redirected(resp.Response) {
			return nil, errors.Join(err, notRedirected(resp))
		}
		_ = resp.Body.Close()
		to, err := req.URL.Parse(resp.Header.Get("Location"))
		if err != nil || to.Host == "" || to.Scheme != r.app.api.Scheme {
			return nil, fault.New(fault.Transient, errors.New("GitHub answered with no usable address of the archive"))
		}
		// A renamed repository is redirected to within the API.
		if to.Host != r.app.api.Host || resp.StatusCode == http.StatusFound {
			return to, nil
		}
		at = to.String()
	}
	return nil, fault.New(fault.Transient, fmt.Errorf("GitHub redirected more than %d times", maxRedirects))
}

func notRedirected(resp *github.Response) error {
	if resp == nil {
		return nil
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return nil // err says it
	}
	return fault.New(fault.Transient, fmt.Errorf("GitHub answered %d without an address of the archive", resp.StatusCode))
}

// download reads an address that GitHub gave, with no credential.
func (a *App) download(ctx context.Context, at *url.URL) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		cancel()
		return nil, fault.New(fault.Transient, errors.New("GitHub gave no usable address of the archive"))
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := a.transport.RoundTrip(req)
	if err != nil {
		cancel()
		return nil, classifyTransport(err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		cancel()
		return nil, fault.New(fault.Transient, fmt.Errorf("the archive's host answered %d", resp.StatusCode))
	}
	return &download{Reader: &capped{resp.Body, maxArchive}, body: resp.Body, cancel: cancel}, nil
}

// download is an archive being read.
type download struct {
	io.Reader
	body   io.Closer
	cancel context.CancelFunc
}

func (d *download) Close() error {
	defer d.cancel()
	return d.body.Close()
}

// capped ends in review.ErrTooLarge.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n, fault.New(fault.Invalid, review.ErrTooLarge)
	}
	return n, err
}
