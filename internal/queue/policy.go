package queue

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"

	"assay/internal/fault"
)

const (
	// maxAttempts bounds how often a job may be begun, crashes of the process
	// among them.
	maxAttempts = 60
	// maxErrors bounds the errors of a job that may be its own fault;
	// maxOutages those that are the other side's. With the delays below they
	// come to about half a minute and about two hours.
	maxErrors  = 5
	maxOutages = 20
	// maxDelay bounds the delay between two tries.
	maxDelay = 10 * time.Minute
	// laneWait is how long a job waits for its predecessor to unwind.
	laneWait = 250 * time.Millisecond
	// minSnooze keeps a snoozed job from spinning.
	minSnooze = 200 * time.Millisecond
	// defaultSnooze is for a limit whose end is not known.
	defaultSnooze = time.Minute
)

// action is what becomes of a job that returned an error.
type action int

const (
	again  action = iota // tried again after a growing delay
	later                // tried again at a known time, no attempt burnt
	giveUp               // a dead letter
)

// judge says what becomes of a job by the kind of its error.
func judge(job *rivertype.JobRow, err error, now time.Time) (action, time.Duration) {
	kind, limit := fault.KindOf(err), maxErrors
	switch kind {
	case fault.RateLimited, fault.Busy:
		at := fault.RetryAt(err)
		if at.IsZero() {
			return later, defaultSnooze
		}
		return later, max(minSnooze, jitter(at.Sub(now)))
	case fault.Invalid, fault.Unauthorized, fault.Gone:
		return giveUp, 0
	case fault.Transient:
		limit = maxOutages
	}
	if earlier(job, kind)+1 >= limit || job.Attempt >= job.MaxAttempts {
		return giveUp, 0
	}
	return again, 0
}

// counted is an error as it is kept with its job, so that its kind is known
// when the next one is judged.
type counted struct{ error }

func (c counted) Error() string { return fault.KindOf(c.error).String() + ": " + c.error.Error() }
func (c counted) Unwrap() error { return c.error }

// earlier counts the job's errors that count like one of the kind: outages by
// themselves, everything else (the rescues of jobs that hung among it) by
// itself. An error after many outages has all its tries still.
func earlier(job *rivertype.JobRow, kind fault.Kind) (n int) {
	for _, e := range job.Errors {
		outage := strings.HasPrefix(e.Error, fault.Transient.String()+": ")
		if outage == (kind == fault.Transient) {
			n++
		}
	}
	return n
}

// jitter adds up to a tenth, so that what waited for the same moment does not
// all come at once.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/10+1)
}

// retryPolicy doubles the delay with each error, from a second to maxDelay.
type retryPolicy struct{ now func() time.Time }

func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	delay := maxDelay
	if n := len(job.Errors); n < 10 {
		delay = min(maxDelay, time.Second<<n)
	}
	return p.now().Add(jitter(delay))
}
