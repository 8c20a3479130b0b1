package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"assay/internal/app"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/webhook"
)

// What is measured: 64 senders, each waiting for its answer before the next
// delivery, and a payload of 25 KB, the size of a pull_request event.
const (
	senders     = 64
	payloadSize = 25 << 10
	measured    = 4 * time.Second
	warmUp      = 500 * time.Millisecond
	rounds      = 2
	secret      = "benchmark-webhook-secret-0123456789"
)

// BenchmarkAccept measures durable deliveries a second through the product's
// own handler, queue and store (SQLite, synchronous=FULL: each is on the disk
// before its answer), next to a bare Echo handler that only checks the
// signature. Both are driven over loopback by the same senders, in turn; what
// the senders themselves cost is in both figures.
func BenchmarkAccept(b *testing.B) {
	var bare, durable result
	for range b.N {
		// In turn, so that a noisy neighbour hits both.
		for range rounds {
			bare = better(bare, drive(b, bareHandler()))
			durable = better(durable, drive(b, productHandler(b)))
		}
	}
	b.Logf("%-22s %10s %8s %8s %10s %10s", "", "answers/s", "p50 ms", "p99 ms", "KB each", "allocs each")
	for _, row := range []struct {
		name string
		r    result
	}{{"bare Echo, HMAC only", bare}, {"Assay, on the disk", durable}} {
		b.Logf("%-22s %10.0f %8.2f %8.2f %10.1f %10.0f", row.name, row.r.rate, row.r.p50, row.r.p99, row.r.bytes/1024, row.r.allocs)
	}
	b.Logf("ratio of the rates %.2f; %d senders, payload of %d bytes, %d CPUs", durable.rate/bare.rate, senders, payloadSize, runtime.NumCPU())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(durable.rate, "deliveries/s")
	b.ReportMetric(durable.p99, "p99-ms")
	b.ReportMetric(durable.rate/bare.rate, "of-bare")
}

type result struct {
	rate, p50, p99 float64 // answers a second; milliseconds
	bytes, allocs  float64 // per answer, senders included
}

func better(a, b result) result {
	if a.rate > b.rate {
		return a
	}
	return b
}

func bareHandler() http.Handler {
	e := echo.New()
	e.POST("/webhook", func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		if !hmac.Equal([]byte(sign(body)), []byte(c.Request().Header.Get("X-Hub-Signature-256"))) {
			return echo.ErrUnauthorized
		}
		return c.JSON(http.StatusAccepted, map[string]string{"status": "accepted"})
	})
	return e
}

// productHandler is what `assay serve --roles accept` puts behind /webhook.
func productHandler(b *testing.B) http.Handler {
	b.Helper()
	st, err := store.Open(b.Context(), store.Config{URL: filepath.Join(b.TempDir(), "assay.db")})
	if err != nil {
		b.Fatal(err)
	}
	q, err := queue.New(b.Context(), st, queue.Config{})
	if err != nil {
		b.Fatal(err)
	}
	if err := q.Start(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(q.Stop(context.Background()), st.Close()); err != nil {
			b.Error(err)
		}
	})
	verifier, err := webhook.NewVerifier([]webhook.Secret{secret})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	e.POST("/webhook", echo.WrapHandler(webhook.New(verifier, app.NewAccepter(q), webhook.Config{})))
	return e
}

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// mark is where payload puts its number, in hexadecimal digits.
const mark = "0123456789abcdef"

// template is a pull_request event of the measured size.
var template = func() []byte {
	sha := strings.Repeat("c", 24) + mark
	var b strings.Builder
	fmt.Fprintf(&b, `{"action":"synchronize","number":7,"pull_request":{"number":7,"title":"t","state":"open","draft":false,`+
		`"updated_at":"2026-01-01T00:00:00Z","user":{"login":"octocat","type":"User"},"labels":[],`+
		`"head":{"ref":"f","sha":%q,"repo":{"id":1}},"base":{"ref":"main","sha":%q,"repo":{"id":1}}},`+
		`"repository":{"id":1,"name":"shop","full_name":"octo-org/shop","private":false,"default_branch":"main","owner":{"login":"octo-org"}},`+
		`"installation":{"id":1},"sender":{"login":"octocat","type":"User"},"links":{`, sha, sha)
	for i := 0; b.Len() < payloadSize-120; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"link_%d_url":"https://api.github.com/repos/octo-org/shop/git/%s/x%d"`, i, sha, i*7919)
	}
	b.WriteString("}}")
	return []byte(b.String())
}()

// payload is the template with its own number n.
func payload(n int64) []byte {
	return bytes.ReplaceAll(template, []byte(mark), fmt.Appendf(nil, "%016x", n))
}

var deliveries atomic.Int64

func drive(b *testing.B, handler http.Handler) result {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(listener) }()
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	url := "http://" + listener.Addr().String() + "/webhook"
	send(b, client, url, warmUp)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	took := send(b, client, url, measured)
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	n := float64(len(took))
	return result{
		rate: n / elapsed.Seconds(),
		p50:  milliseconds(took[len(took)/2]), p99: milliseconds(took[len(took)*99/100]),
		bytes: float64(after.TotalAlloc-before.TotalAlloc) / n, allocs: float64(after.Mallocs-before.Mallocs) / n,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// send keeps the senders at it for a while and returns how long each answer
// took.
func send(b *testing.B, client *http.Client, url string, during time.Duration) []time.Duration {
	b.Helper()
	deadline := time.Now().Add(during)
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			var took []time.Duration
			for time.Now().Before(deadline) {
				d, err := deliver(b.Context(), client, url, deliveries.Add(1))
				if err != nil {
					b.Error(err)
					return
				}
				took = append(took, d)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	wg.Wait()
	return all
}

func deliver(ctx context.Context, client *http.Client, url string, n int64) (time.Duration, error) {
	body := payload(n)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Github-Event", "pull_request")
	req.Header.Set("X-Github-Delivery", fmt.Sprintf("00000000-0000-0000-0000-%012d", n))
	req.Header.Set("X-Hub-Signature-256", sign(body))
	begin := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusAccepted {
		return 0, fmt.Errorf("answer %d", resp.StatusCode)
	}
	return time.Since(begin), nil
}
