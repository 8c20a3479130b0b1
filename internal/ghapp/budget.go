package ghapp

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Budget is what GitHub has last said of the requests an installation has left
// in its hour
// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit).
type Budget struct {
	Installation     int64
	Limit, Remaining int
	// Reset is when the hour ends, by our clock; At is when GitHub said so.
	// Both are zero when it has said nothing but to be quiet.
	Reset, At time.Time
	// LimitedUntil is until when the installation is left alone because GitHub
	// asked for it; zero when it is not.
	LimitedUntil time.Time
}

// Budgets returns what is known of the installations that were at work within
// the last hour, in the order of their numbers.
func (a *App) Budgets() []Budget {
	budgets := a.installations.budgets()
	for _, limit := range a.rest.Limits() {
		id, ok := limitedInstallation(limit.Key)
		if !ok {
			continue
		}
		i := slices.IndexFunc(budgets, func(b Budget) bool { return b.Installation == id })
		if i < 0 {
			i = len(budgets)
			budgets = append(budgets, Budget{Installation: id})
		}
		budgets[i].LimitedUntil = limit.Until
	}
	slices.SortFunc(budgets, func(a, b Budget) int { return cmp.Compare(a.Installation, b.Installation) })
	return budgets
}

// rate is a Budget as the headers of an answer have it; zero for none.
type rate struct {
	limit, remaining int
	// window is the end of the hour by GitHub's clock: it tells hours apart.
	window    int64
	reset, at time.Time
}

// rateOf reads the headers of an answer.
func rateOf(resp *http.Response, now time.Time) rate {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(resp.Header.Get(name), 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	limit, remaining, window := number("X-RateLimit-Limit"), number("X-RateLimit-Remaining"), number("X-RateLimit-Reset")
	// Searches and the like are counted on their own.
	if resource := resp.Header.Get("X-RateLimit-Resource"); limit < 0 || remaining < 0 || window < 0 || (resource != "" && resource != "core") {
		return rate{}
	}
	left := min(max(time.Unix(window, 0).Sub(sentAt(resp, now)), 0), limitLongest)
	return rate{limit: int(limit), remaining: int(remaining), window: window, reset: now.Add(left), at: now}
}

// rateOfOutcome reads what a request came to, whether it was refused or not.
func rateOfOutcome(resp *http.Response, err error, now time.Time) rate {
	if refusal, ok := errors.AsType[*answerError](err); ok {
		return refusal.rate
	}
	if resp == nil {
		return rate{}
	}
	return rateOf(resp, now)
}

// later is the newer of two rates. Answers overtake each other: within an hour
// the one with less left is.
func (r rate) later(other rate) rate {
	switch {
	case other.at.IsZero(), other.window < r.window:
		return r
	case other.window == r.window && !r.at.IsZero() && other.remaining > r.remaining:
		return r
	}
	return other
}
