package ghapp

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// skewTolerated is the difference between GitHub's clock and ours that is not
// worth a word: the Date header has whole seconds and has travelled.
const skewTolerated = 10 * time.Second

// clock compares our clock with GitHub's. Its correction changes only when
// GitHub refuses an app token, since one odd Date header must not spoil the
// signing that works.
type clock struct {
	now        func() time.Time
	log        *slog.Logger
	measured   atomic.Int64
	correction atomic.Int64
}

// github is the time as GitHub is believed to have it.
func (c *clock) github() time.Time { return c.now().Add(time.Duration(c.correction.Load())) }

func (c *clock) skew() time.Duration { return time.Duration(c.measured.Load()) }

// observe measures the skew from an answer. One without a readable Date brings
// no news.
func (c *clock) observe(resp *http.Response) time.Duration {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Duration(c.correction.Load())
	}
	skew := date.Sub(c.now())
	c.measured.Store(int64(skew))
	return skew
}

// corrected runs a call that is signed as the app. When GitHub refuses it and
// the answer shows that the clock was wrong, the clock is set right and the
// call is made once more.
func (c *clock) corrected(call func() error) error {
	err := call()
	answer, ok := errors.AsType[*answerError](err)
	if !ok || answer.status != http.StatusUnauthorized {
		return err
	}
	if (answer.skew - time.Duration(c.correction.Load())).Abs() <= skewTolerated {
		return err
	}
	c.correction.Store(int64(answer.skew))
	c.log.Warn("this machine's clock differs from GitHub's; signing with GitHub's time", "github_ahead_by", answer.skew.Round(time.Second))
	return call()
}
