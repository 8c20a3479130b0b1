package mergereadiness

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The options that a config may set for this agent.
const (
	// OptionMaxBehind is the number of commits that the base may be ahead; 0
	// is any number. 50 if not set.
	OptionMaxBehind = "max_behind"
	// OptionMaxAge is the age in days that the newest commit of the base that
	// the change holds may have; 0, if not set, is any age.
	OptionMaxAge = "max_base_age_days"
	// OptionApprovals is the number of approvals wanted, whatever GitHub
	// demands; 0 if not set.
	OptionApprovals = "approvals"
	// OptionLabels are the labels, with commas between, that keep a pull
	// request from being merged. One that ends in * matches what begins so.
	// Case does not count.
	OptionLabels = "blocking_labels"
)

// DefaultLabels are OptionLabels if not set.
const DefaultLabels = "do not merge*, do-not-merge*, dnm, wip, work in progress, on hold, hold, blocked"

type options struct {
	maxBehind, approvals int
	maxAge               time.Duration
	labels               []string // lower case
}

// readOptions refuses what it does not know, so that no setting is silently
// without effect.
func readOptions(given map[string]string) (options, error) {
	o := options{maxBehind: 50}
	labels := DefaultLabels
	for _, name := range slices.Sorted(maps.Keys(given)) {
		var err error
		switch value := given[name]; name {
		case OptionMaxBehind:
			o.maxBehind, err = count(value)
		case OptionApprovals:
			o.approvals, err = count(value)
		case OptionMaxAge:
			var days int
			days, err = count(value)
			o.maxAge = time.Duration(days) * 24 * time.Hour
		case OptionLabels:
			labels = value
		default:
			err = fmt.Errorf("there is no such option: use %s, %s, %s or %s", OptionMaxBehind, OptionMaxAge, OptionApprovals, OptionLabels)
		}
		if err != nil {
			return options{}, fmt.Errorf("option %q: %w", name, err)
		}
	}
	for label := range strings.SplitSeq(labels, ",") {
		if label = strings.ToLower(strings.TrimSpace(label)); label != "" {
			o.labels = append(o.labels, label)
		}
	}
	return o, nil
}

func count(value string) (int, error) {
	const most = 10_000
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%q is not a whole number from 0 to %d", value, most)
	}
	return n, nil
}

func (o options) blocks(label string) bool {
	label = strings.ToLower(strings.TrimSpace(label))
	return slices.ContainsFunc(o.labels, func(l string) bool {
		if prefix, ok := strings.CutSuffix(l, "*"); ok {
			return strings.HasPrefix(label, prefix)
		}
		return label == l
	})
}
