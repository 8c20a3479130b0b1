package pipeline

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/store"
	"assay/review"
)

func (w *world) installation(action string) int64 {
	w.t.Helper()
	in := object{"id": 1, "account": object{"login": "o"}, "updated_at": w.at.Unix() + 1, "repository_selection": "all"}
	if action == "suspend" {
		in["suspended_at"] = w.at
	}
	return w.event("installation", action, object{"installation": in, "repository": nil, "repositories": []object{{"id": 2, "name": "second", "full_name": "o/second"}}})
}

func (w *world) repositories() (names []string) {
	w.t.Helper()
	list, err := w.store.Repositories(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range list {
		names = append(names, fmt.Sprint(r.Repo, " ", r.DefaultBranch))
	}
	return names
}

func (w *world) wantRepositories(what string, want ...string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.repositories()); d != "" {
		w.t.Errorf("%s: %s", what, d)
	}
}

// TestInstallation follows an installation from its making to its end.
func TestInstallation(t *testing.T) {
	w := newWorld(t)
	w.work(w.installation("created"))
	w.wantRepositories("created", "o/second ")
	w.work(w.deliver("opened", head("a")))
	w.wantRepositories("a pull request of another", "o/n ", "o/second ")

	w.decide(w.deliver("synchronize", head("c")))
	late := w.deliver("synchronize", head("d"))
	w.work(w.installation("suspend"))
	w.want("suspended", map[string]string{"review": "done cancelled"})
	w.work(late)
	if status, reason := w.status(late); status != store.DeliveryIgnored {
		t.Errorf("a delivery while suspended is %s, %s", status, reason)
	}
	w.wantRepositories("suspended")

	w.work(w.installation("unsuspend"))
	w.wantRepositories("unsuspended", "o/n ", "o/second ")
	w.work(w.deliver("synchronize", head("e")))
	w.want("unsuspended", map[string]string{"review": "done cancelled done"})

	w.decide(w.deliver("synchronize", head("f")))
	gone := w.installation("deleted")
	w.work(gone)
	w.want("deleted", map[string]string{})
	w.wantRepositories("deleted")
	if _, known, err := w.store.Subject(t.Context(), 1, 7); known || err != nil {
		t.Errorf("the pull request is still known, %v", err)
	}
	if d, err := w.store.Delivery(t.Context(), late); err != nil || string(d.Body) != "{}" {
		t.Errorf("the body %s is kept, %v", d.Body, err)
	}
	if status, reason := w.status(gone); status != store.DeliveryDone {
		t.Errorf("the delivery that tells of it is %s, %s", status, reason)
	}
	w.work(w.installation("created")) // which came late
	w.wantRepositories("after a late event")
}

// TestRepositories follows repositories that come, go and are renamed.
func TestRepositories(t *testing.T) {
	w := newWorld(t)
	repo := func(n int, name string) object {
		return object{"id": n, "name": name, "full_name": "o/" + name, "default_branch": "main", "owner": object{"login": "o"}}
	}
	list := func(action string, fields object) int64 {
		return w.event("installation_repositories", action, fields)
	}
	w.work(list("added", object{"repositories_added": []object{repo(1, "n"), repo(2, "b")}}))
	w.wantRepositories("added", "o/b main", "o/n main")
	w.work(w.event("repository", "renamed", object{"repository": repo(2, "z")}))
	w.wantRepositories("renamed", "o/n main", "o/z main")
	w.decide(w.deliver("opened", head("a")))
	w.work(w.event("repository", "archived", object{"repository": repo(2, "z")}))
	w.wantRepositories("archived", "o/n main")
	w.work(w.event("repository", "unarchived", object{"repository": repo(2, "z")}))
	w.work(w.event("repository", "deleted", object{"repository": repo(2, "z")}))
	w.want("another repository's runs", map[string]string{"review": "done"})
	w.decide(w.deliver("synchronize", head("c")))
	w.work(list("removed", object{"repositories_removed": []object{repo(1, "n")}}))
	w.wantRepositories("removed")
	w.want("removed", map[string]string{"review": "done cancelled"})
	for _, c := range w.checks {
		if c.Status != review.CheckCompleted {
			t.Errorf("the check at %.4s is left %s", c.HeadSHA, c.Status)
		}
	}
}
