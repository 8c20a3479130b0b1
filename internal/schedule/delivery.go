package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"assay/internal/store"
	"assay/review"
)

// object is a JSON object.
type object = map[string]any

// made is a delivery of an event of the service's own, its payload in GitHub's
// words with the facts that webhook.Parse reads and no others.
func made(guid string, ev review.Event, mark map[string]string) (store.Delivery, error) {
	payload := object{
		"action":       ev.Action,
		"installation": object{"id": ev.Installation},
		"repository": object{
			"id": ev.Repo.ID, "name": ev.Repo.Name, "full_name": ev.Repo.String(), "owner": object{"login": ev.Repo.Owner},
			"default_branch": ev.Repo.DefaultBranch, "private": ev.Repo.Private,
		},
	}
	if ev.Asked != nil {
		payload["asked"] = ev.Asked
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return store.Delivery{}, fmt.Errorf("write payload of %s of %s: %w", ev, ev.Repo, err)
	}
	return store.Delivery{
		GUID: guid, Event: ev.Name, Action: ev.Action, Installation: ev.Installation, RepoID: ev.Repo.ID, Header: mark, Body: body,
	}, nil
}

// scheduleGUID names the delivery of a due schedule for what it stands for, so
// that two nodes make the same one.
func scheduleGUID(d store.Due) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d", d.ID, d.Schedule.Name, d.NextAt.UnixMicro()))
	return "schedule-" + hex.EncodeToString(sum[:16])
}
