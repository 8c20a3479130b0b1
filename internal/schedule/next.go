package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"assay/strategy"
)

// spreads is over how long the repositories' times are spread where a schedule
// says a word and no time of day: a thousand repositories would all come at
// midnight.
var spreads = map[string]time.Duration{
	"hourly":  50 * time.Minute,
	"daily":   6 * time.Hour,
	"weekly":  6 * time.Hour,
	"monthly": 6 * time.Hour,
}

// next is the schedule's first time after now in the repository; zero when
// there is none.
func next(s strategy.Schedule, repoID int64, now time.Time) time.Time {
	late := lateness(s, repoID)
	at := s.Next(now.Add(-late))
	if at.IsZero() {
		return at
	}
	return at.Add(late)
}

// lateness is by how much the schedule comes late in the repository, always the
// same: never for one that names its times.
func lateness(s strategy.Schedule, repoID int64) time.Duration {
	spread := spreads[s.Spec]
	if spread == 0 {
		return 0
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", repoID, s.Name))
	return time.Duration(binary.BigEndian.Uint64(sum[:])%uint64(spread/time.Second)) * time.Second
}
