package ghapp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"

	"assay/internal/cache"
)

// reading is GitHub's answer to a read, kept with the validator that asks
// whether it still stands. Answers that GitHub confirms cost nothing of the
// rate limit
// (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate).
//
// Readings are kept above authentication, by what a token may see rather than
// by the token: they outlive it. github.com today makes its ETags for one token
// each (https://github.com/eclipse-csi/otterdog/issues/201), so that there the
// first read with a new token, once an hour, is a whole one all the same.
type reading struct {
	value any // shared, not to be changed
	next  int // the number of the next page; 0 for none
	etag  string
	bytes int // of the answer
}

// readKey is what a reading is of: the permissions decide what GitHub shows.
type readKey struct {
	token        tokenKey
	path, accept string
}

func (r reading) weight() int { return 2*r.bytes + len(r.etag) }

// expires keeps only what can be asked about.
func (r reading) expires() time.Time {
	if r.etag == "" {
		return time.Unix(0, 0)
	}
	return time.Time{}
}

// decode makes a value of an answer, and says how many bytes it had.
type decode func(*github.Response) (value any, bytes int, err error)

// current reads what is at path now. Those who ask for the same at a time
// share a request, and nobody is told what was read before he asked.
func (r *Repository) current(ctx context.Context, kept *cache.Cache[readKey, reading], path, accept string, decode decode) (reading, error) {
	return kept.Refresh(ctx, readKey{r.key, path, accept}, func(ctx context.Context, old reading, _ bool) (reading, bool, error) {
		var got reading
		same, err := r.get(ctx, path, accept, old.etag, func(resp *github.Response) (err error) {
			got = reading{next: resp.NextPage, etag: resp.Header.Get("ETag")}
			got.value, got.bytes, err = decode(resp)
			return err
		})
		if same {
			return old, true, err
		}
		return got, false, err
	})
}

// get makes a GET request and hands its answer to use, which is called again
// when it is retried. With a validator it may report same instead: nothing has
// changed, and there is nothing to use.
func (r *Repository) get(ctx context.Context, path, accept, etag string, use func(*github.Response) error) (same bool, err error) {
	err = r.read(ctx, func(ctx context.Context) error {
		same = false
		req, err := r.gh.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		if accept != "" {
			req.Header.Set("Accept", accept)
		}
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		resp, err := r.gh.BareDo(ctx, req)
		if same = etag != "" && resp != nil && resp.StatusCode == http.StatusNotModified; same {
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		return use(resp)
	})
	return same && err == nil, err
}

// decodeJSON decodes an answer and has it checked: "{}" and "null" decode too.
func decodeJSON[T any](resp *github.Response, check func(T) error) (value any, bytes int, err error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, 0, err
	}
	var decoded T
	if err := json.Unmarshal(body, &decoded); err != nil {
		return nil, 0, err
	}
	return decoded, len(body), check(decoded)
}
