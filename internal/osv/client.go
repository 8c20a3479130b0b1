package osv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/errgroup"

	"assay/internal/fault"
	"assay/review"
)

// DefaultURL is where OSV's API is (https://google.github.io/osv.dev/api/).
const DefaultURL = "https://api.osv.dev"

// Bounds of what is asked and of what is read of the answers.
const (
	// maxBatch is the number of versions in one query
	// (https://google.github.io/osv.dev/post-v1-querybatch/).
	maxBatch = 1000
	// maxPages bounds the pages of one version's answer.
	maxPages = 20
	// maxRecords is the number of advisories that are read for one question.
	maxRecords = 2000
	maxAnswer  = 16 << 20 // bytes of a batch's answer; OSV's own bound is 32 MiB
	maxRecord  = 4 << 20  // bytes of an advisory
	concurrent = 8        // advisories that are read at a time
	// remembered is the number of advisories that are kept, by when they were
	// last modified.
	remembered = 4096
)

// Client asks OSV's API. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	url     string
	now     func() time.Time
	records *lru.Cache[string, *record]
}

// NewClient returns a client of the API at the URL, DefaultURL if it is empty.
// Deadlines are the context's.
func NewClient(client *http.Client, baseURL string) (*Client, error) {
	if client == nil {
		return nil, errors.New("an HTTP client is required")
	}
	if baseURL == "" {
		baseURL = DefaultURL
	}
	records, err := lru.New[string, *record](remembered)
	if err != nil {
		return nil, fmt.Errorf("make a cache: %w", err)
	}
	return &Client{http: client, url: baseURL, now: time.Now, records: records}, nil
}

// Advisories returns what the database knows of the versions. It answers whole
// or not at all. Errors have a kind of package fault.
func (c *Client) Advisories(ctx context.Context, packages []review.Package) ([]review.Advisory, error) {
	var hits []hit
	for start := 0; start < len(packages); start += maxBatch {
		found, err := c.batch(ctx, packages[start:min(start+maxBatch, len(packages))])
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	records, err := c.read(ctx, hits)
	if err != nil {
		return nil, err
	}
	var advisories []review.Advisory
	for _, h := range hits {
		if r := records[h.key()]; r != nil && r.Withdrawn == "" {
			advisories = append(advisories, r.advisory(h.of))
		}
	}
	return advisories, nil
}

// hit says that an advisory is about a version.
type hit struct {
	of           review.Package
	id, modified string
}

func (h hit) key() string { return h.id + " " + h.modified }

type query struct {
	Package   queryPackage `json:"package"`
	Version   string       `json:"version"`
	PageToken string       `json:"page_token,omitempty"`
	of        review.Package
}

type queryPackage struct {
	Name      string `json:"name"`
	Ecosystem string `json:"ecosystem"`
}

type batchAnswer struct {
	Results []struct {
		Vulns []struct {
			ID       string `json:"id"`
			Modified string `json:"modified"`
		} `json:"vulns"`
		NextPageToken string `json:"next_page_token"`
	} `json:"results"`
}

// batch asks about up to maxBatch versions, and on as long as there are more
// pages for some of them.
func (c *Client) batch(ctx context.Context, packages []review.Package) (hits []hit, err error) {
	queries := make([]query, 0, len(packages))
	for _, p := range packages {
		queries = append(queries, query{
			Package: queryPackage{Name: nameOf(p.Ecosystem, p.Name), Ecosystem: p.Ecosystem},
			Version: bare(p), of: p,
		})
	}
	for range maxPages {
		if len(queries) == 0 {
			return hits, nil
		}
		body, err := json.Marshal(map[string]any{"queries": queries})
		if err != nil {
			return nil, fmt.Errorf("encode a query: %w", err)
		}
		var answer batchAnswer
		if err := c.call(ctx, http.MethodPost, "/v1/querybatch", body, maxAnswer, &answer); err != nil {
			return nil, fmt.Errorf("ask osv about %d versions: %w", len(queries), err)
		}
		if len(answer.Results) != len(queries) {
			return nil, trouble(fault.Transient, fmt.Errorf("osv answered for %d versions of %d", len(answer.Results), len(queries)))
		}
		var more []query
		for i, result := range answer.Results {
			for _, v := range result.Vulns {
				hits = append(hits, hit{of: queries[i].of, id: v.ID, modified: v.Modified})
			}
			if result.NextPageToken != "" {
				next := queries[i]
				next.PageToken = result.NextPageToken
				more = append(more, next)
			}
		}
		queries = more
	}
	return nil, trouble(fault.Transient, fmt.Errorf("osv's answer has more than %d pages", maxPages))
}

// bare is a version as the database writes it.
func bare(p review.Package) string {
	if p.Ecosystem == ecosystemGo && len(p.Version) > 0 && p.Version[0] == 'v' {
		return p.Version[1:]
	}
	return p.Version
}

// read reads the advisories, each once; those that are gone are left out.
func (c *Client) read(ctx context.Context, hits []hit) (map[string]*record, error) {
	records := make(map[string]*record)
	var wanted []hit
	for _, h := range hits {
		if _, ok := records[h.key()]; ok {
			continue
		}
		known, ok := c.records.Get(h.key())
		records[h.key()] = known
		if !ok {
			wanted = append(wanted, h)
		}
	}
	if len(wanted) > maxRecords {
		return nil, trouble(fault.Invalid, fmt.Errorf("%d advisories are more than the %d that are read", len(wanted), maxRecords))
	}
	found := make([]*record, len(wanted))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrent)
	for i, h := range wanted {
		group.Go(func() (err error) {
			found[i], err = c.record(ctx, h.id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, h := range wanted {
		records[h.key()] = found[i]
		if found[i] != nil {
			c.records.Add(h.key(), found[i])
		}
	}
	return records, nil
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// record reads an advisory; nil where it is gone.
func (c *Client) record(ctx context.Context, id string) (*record, error) {
	if !idForm.MatchString(id) {
		return nil, trouble(fault.Transient, errors.New("osv named a malformed advisory"))
	}
	var r record
	err := c.call(ctx, http.MethodGet, "/v1/vulns/"+url.PathEscape(id), nil, maxRecord, &r)
	if fault.KindOf(err) == fault.Gone {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of osv: %w", id, err)
	}
	if r.ID != id {
		return nil, trouble(fault.Transient, fmt.Errorf("osv gave another advisory than %s", id))
	}
	for i := range r.Affected {
		r.Affected[i].Versions = nil // the API has compared them
	}
	return &r, nil
}

// call makes one request and decodes the answer of at most limit bytes.
func (c *Client) call(ctx context.Context, method, path string, body []byte, limit int64, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "assay")
	resp, err := c.http.Do(req)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c.refused(resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return unreachable(ctx, err)
	case int64(len(text)) > limit:
		return trouble(fault.Transient, fmt.Errorf("the answer is larger than %d bytes", limit))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return trouble(fault.Transient, errors.New("the answer is not what osv's API describes"))
	}
	return nil
}

// unreachable classifies an error of the connection. That the caller has left
// is not the API's trouble.
func unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	// A *url.Error tells the address, which is known, and may hold a proxy's.
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return trouble(fault.Transient, err)
}

func (c *Client) refused(resp *http.Response) error {
	err := fmt.Errorf("osv answered %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests:
		wait, parseErr := strconv.Atoi(resp.Header.Get("Retry-After"))
		if parseErr != nil || wait < 1 || wait > 3600 {
			wait = 60
		}
		return fault.From(Dependency, fault.Until(fault.RateLimited, c.now().Add(time.Duration(wait)*time.Second), err))
	case code == http.StatusNotFound:
		return fault.New(fault.Gone, err)
	case code >= http.StatusInternalServerError, code == http.StatusRequestTimeout:
		return trouble(fault.Transient, err)
	default:
		return fault.New(fault.Invalid, err)
	}
}
