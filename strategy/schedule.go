package strategy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a named time at which schedule.<name> comes.
type Schedule struct {
	Name string
	// Spec is "hourly", "daily", "weekly", "monthly", or five fields of cron
	// (minute, hour, day of the month, month, day of the week), in UTC.
	Spec string
}

// minEvery is the shortest time between two times of a schedule.
const minEvery = time.Hour

// wordSpecs are the words that a schedule may be given as.
var wordSpecs = []string{"hourly", "daily", "weekly", "monthly"}

// BuiltInSchedules are those that every config has: pipelines may listen to
// schedule.daily and schedule.weekly without defining them.
func BuiltInSchedules() []Schedule {
	return []Schedule{{Name: "daily", Spec: "daily"}, {Name: "weekly", Spec: "weekly"}}
}

// Due lists the schedules that some pipeline listens to: those of the config,
// and the built-in ones that it does not define itself.
func (c *Config) Due() []Schedule {
	listened := make(map[string]bool)
	for _, p := range c.Pipelines {
		for _, on := range p.On {
			if name, ok := strings.CutPrefix(on, "schedule."); ok {
				listened[name] = true
			}
		}
	}
	var due []Schedule
	for _, s := range append(c.Schedules[:len(c.Schedules):len(c.Schedules)], BuiltInSchedules()...) {
		if listened[s.Name] {
			due = append(due, s)
			listened[s.Name] = false
		}
	}
	return due
}

// Next is the first time of the schedule after a time, in UTC; zero for a
// schedule that checkSchedule refuses.
func (s Schedule) Next(after time.Time) time.Time {
	parsed, err := parseSpec(s.Spec)
	if err != nil {
		return time.Time{}
	}
	return parsed.Next(after.UTC())
}

func parseSpec(spec string) (cron.Schedule, error) {
	for _, word := range wordSpecs {
		if spec == word {
			return cron.ParseStandard("@" + word)
		}
	}
	// Five fields and nothing else: "TZ=" would read the machine's files, and
	// "@every" would count from the start of the service.
	if strings.ContainsAny(spec, "@=") || len(strings.Fields(spec)) != 5 {
		return nil, fmt.Errorf("write %s, or five fields of cron, as \"30 6 * * mon-fri\" (UTC)", strings.Join(wordSpecs, ", "))
	}
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("%w; write five fields of cron, as \"30 6 * * mon-fri\" (UTC)", err)
	}
	return parsed, nil
}

// checkSchedule says why a spec is refused.
func checkSchedule(spec string) error {
	parsed, err := parseSpec(spec)
	if err != nil {
		return err
	}
	// Fixed, since nothing here knows the time; in a leap year, so that 29
	// February comes.
	at := parsed.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	if at.IsZero() {
		return errors.New("it never comes")
	}
	const samples = 50
	for range samples {
		next := parsed.Next(at)
		if next.IsZero() {
			break // further ahead than the parser looks
		}
		if gap := next.Sub(at); gap < minEvery {
			return fmt.Errorf("it comes every %s; once in %s at most", short(gap), short(minEvery))
		}
		at = next
	}
	return nil
}
