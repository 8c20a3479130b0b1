package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/internal/fault"
)

// DeliveryRetention is how long a delivery is kept, and with it the memory of
// its GUID. GitHub's window for redeliveries is 3 days, on older servers 30.
const DeliveryRetention = 45 * 24 * time.Hour

// DeliveryStatus is where a delivery is in its life.
type DeliveryStatus string

// The statuses. All but DeliveryAccepted are final.
const (
	DeliveryAccepted   DeliveryStatus = "accepted"
	DeliveryDone       DeliveryStatus = "done"
	DeliverySuperseded DeliveryStatus = "superseded"
	DeliveryIgnored    DeliveryStatus = "ignored"
	// DeliveryDead is a dead letter: its work failed for good.
	DeliveryDead DeliveryStatus = "dead"
)

// Delivery is one webhook request that was accepted.
type Delivery struct {
	ID   int64
	GUID string
	// ReplayKey is the hash by which the same body under another GUID is known;
	// nil where bodies may honestly repeat.
	ReplayKey     []byte
	Event, Action string
	Installation  int64
	RepoID        int64
	// Number, HeadSHA and PullUpdatedAt are of the pull request; zero when the
	// event has none.
	Number        int
	HeadSHA       string
	PullUpdatedAt time.Time
	ReceivedAt    time.Time
	FinishedAt    time.Time
	Status        DeliveryStatus
	Reason        string
	Header        map[string]string
	// Body is the request's body as it came. Lists of deliveries leave it out.
	Body []byte
}

// InsertDeliveries stores the deliveries that are new and sets their IDs; one
// that is known by GUID or replay key keeps the ID 0. A known delivery whose
// work died is taken up again: it is accepted anew, under its old ID.
func (s *Store) InsertDeliveries(ctx context.Context, tx *sql.Tx, deliveries []*Delivery) error {
	// One order for all writers, so that two batches cannot deadlock.
	ordered := slices.Clone(deliveries)
	slices.SortFunc(ordered, func(a, b *Delivery) int { return cmp.Compare(a.GUID, b.GUID) })
	const columns = 13
	var query strings.Builder
	query.WriteString(`INSERT INTO deliveries (guid, replay_key, event, action, installation_id, repo_id, number, head_sha, pull_updated_at, received_at, status, headers, body) VALUES `)
	args := make([]any, 0, len(ordered)*columns)
	for i, d := range ordered {
		header, err := json.Marshal(d.Header)
		if err != nil {
			return fmt.Errorf("store delivery %s: %w", d.GUID, err)
		}
		if i > 0 {
			query.WriteByte(',')
		}
		writePlaceholders(&query, len(args), columns)
		args = append(args, d.GUID, d.ReplayKey, d.Event, d.Action, d.Installation, d.RepoID, d.Number, d.HeadSHA,
			toMicros(d.PullUpdatedAt), toMicros(d.ReceivedAt), string(DeliveryAccepted), header, compress(d.Body))
	}
	query.WriteString(` ON CONFLICT DO NOTHING RETURNING id, guid`)
	ids, err := queryIDs(ctx, tx, query.String(), args)
	if err != nil {
		return fmt.Errorf("store deliveries: %w", err)
	}
	for _, d := range ordered {
		d.ID = ids[d.GUID]
		// The same GUID twice in one batch: the first one has it.
		delete(ids, d.GUID)
		if d.ID == 0 {
			if err := s.Rearm(ctx, tx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func writePlaceholders(b *strings.Builder, from, n int) {
	b.WriteByte('(')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "$%d", from+i+1)
	}
	b.WriteByte(')')
}

func queryIDs(ctx context.Context, tx *sql.Tx, query string, args []any) (map[string]int64, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ids := make(map[string]int64)
	for rows.Next() {
		var id int64
		var guid string
		if err := rows.Scan(&id, &guid); err != nil {
			return nil, err
		}
		ids[guid] = id
	}
	return ids, rows.Err()
}

// Rearm takes a dead delivery up again by its GUID and sets its ID; the ID stays
// 0 when no dead delivery has the GUID.
func (s *Store) Rearm(ctx context.Context, tx *sql.Tx, d *Delivery) error {
	err := tx.QueryRowContext(ctx, `
		UPDATE deliveries SET status = $1, reason = '', finished_at = 0 WHERE guid = $2 AND status = $3 RETURNING id`,
		string(DeliveryAccepted), d.GUID, string(DeliveryDead)).Scan(&d.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take delivery %s up again: %w", d.GUID, err)
	}
	return nil
}

const deliveryColumns = `id, guid, event, action, installation_id, repo_id, number, head_sha, pull_updated_at, received_at, finished_at, status, reason`

func scanDelivery(row interface{ Scan(...any) error }, extra ...any) (Delivery, error) {
	var d Delivery
	var updated, received, finished int64
	dest := []any{&d.ID, &d.GUID, &d.Event, &d.Action, &d.Installation, &d.RepoID, &d.Number, &d.HeadSHA, &updated, &received, &finished, &d.Status, &d.Reason}
	err := row.Scan(append(dest, extra...)...)
	d.PullUpdatedAt, d.ReceivedAt, d.FinishedAt = fromMicros(updated), fromMicros(received), fromMicros(finished)
	return d, err
}

// Delivery returns a delivery with its body. A missing one is fault.Gone.
func (s *Store) Delivery(ctx context.Context, id int64) (Delivery, error) {
	return s.delivery(ctx, `id = $1`, id)
}

// DeliveryByGUID returns a delivery with its body. A missing one is fault.Gone.
func (s *Store) DeliveryByGUID(ctx context.Context, guid string) (Delivery, error) {
	return s.delivery(ctx, `guid = $1`, guid)
}

func (s *Store) delivery(ctx context.Context, where string, arg any) (Delivery, error) {
	var header, body []byte
	d, err := scanDelivery(s.read.QueryRowContext(ctx, `SELECT `+deliveryColumns+`, headers, body FROM deliveries WHERE `+where, arg), &header, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return d, fault.New(fault.Gone, fmt.Errorf("no delivery %v", arg))
	}
	if err != nil {
		return d, classify(fmt.Errorf("read delivery %v: %w", arg, err))
	}
	if err := json.Unmarshal(header, &d.Header); err != nil {
		return d, fmt.Errorf("read headers of delivery %s: %w", d.GUID, err)
	}
	if d.Body, err = decompress(body); err != nil {
		return d, fmt.Errorf("read body of delivery %s: %w", d.GUID, err)
	}
	return d, nil
}

// Deliveries lists the latest deliveries, newest first, of one status or (with
// an empty one) of all.
func (s *Store) Deliveries(ctx context.Context, status DeliveryStatus, limit int) ([]Delivery, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE $1 = '' OR status = $1 ORDER BY received_at DESC, id DESC LIMIT $2`, string(status), limit)
	if err != nil {
		return nil, classify(fmt.Errorf("list deliveries: %w", err))
	}
	defer rows.Close()
	var list []Delivery
	for rows.Next() {
		d, err := scanDelivery(rows)
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// UnfinishedTx reports whether the delivery is known and still accepted, so
// that somebody is or will be working on it.
func (s *Store) UnfinishedTx(ctx context.Context, tx *sql.Tx, guid string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE guid = $1 AND status = $2`, guid, string(DeliveryAccepted)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look at delivery %s: %w", guid, err)
	}
	return n > 0, nil
}

// maxReason bounds a reason that is stored, in bytes.
const maxReason = 1000

// storable makes any text, that of a panic with its stack included, one line
// that both databases take.
func storable(reason string) string {
	reason, _, _ = strings.Cut(reason, "\n")
	reason = strings.ReplaceAll(reason[:min(len(reason), maxReason)], "\x00", "")
	return strings.ToValidUTF8(reason, "\uFFFD")
}

// FinishDelivery gives an accepted delivery its final status.
func (s *Store) FinishDelivery(ctx context.Context, tx *sql.Tx, id int64, status DeliveryStatus, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET status = $1, reason = $2, finished_at = $3 WHERE id = $4 AND status = $5`,
		string(status), storable(reason), s.micros(), id, string(DeliveryAccepted))
	if err != nil {
		return fmt.Errorf("finish delivery %d: %w", id, err)
	}
	return nil
}

// NewerHead reports whether a later delivery has another head for the pull
// request than d: then there is no point in working on d's.
func (s *Store) NewerHead(ctx context.Context, d Delivery) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `
		SELECT count(*) FROM deliveries WHERE repo_id = $1 AND number = $2 AND number <> 0
			AND pull_updated_at > $3 AND head_sha <> '' AND head_sha <> $4`,
		d.RepoID, d.Number, toMicros(d.PullUpdatedAt), d.HeadSHA).Scan(&n)
	if err != nil {
		return false, classify(fmt.Errorf("look for newer deliveries: %w", err))
	}
	return n > 0, nil
}

// CountDeliveries counts deliveries by status.
func (s *Store) CountDeliveries(ctx context.Context) (map[DeliveryStatus]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT status, count(*) FROM deliveries GROUP BY status`)
	if err != nil {
		return nil, classify(fmt.Errorf("count deliveries: %w", err))
	}
	defer rows.Close()
	counts := make(map[DeliveryStatus]int)
	for rows.Next() {
		var status DeliveryStatus
		var n int
		if err := rows.Scan(&status, &n); err != nil {
			return nil, err
		}
		counts[status] = n
	}
	return counts, rows.Err()
}

// Prune forgets deliveries that are older than DeliveryRetention and finished,
// at most limit of them, and returns how many that were. Uploads as old go with
// them.
func (s *Store) Prune(ctx context.Context, limit int) (int, error) {
	pruned := 0
	err := s.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE id IN (
			SELECT id FROM deliveries WHERE received_at < $1 AND status <> $2 ORDER BY received_at LIMIT $3)`,
			s.micros()-DeliveryRetention.Microseconds(), string(DeliveryAccepted), limit)
		if err != nil {
			return fmt.Errorf("prune deliveries: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		pruned = int(n)
		return s.pruneUploads(ctx, tx, limit)
	})
	return pruned, err
}
