package ghfake

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// App is a GitHub App. AddApp fills in what is left empty; do not change it
// afterwards.
type App struct {
	// ID is the app's ID; one is given out when 0.
	ID int64
	// ClientID may stand for the ID in the app's tokens; "Iv23" and the ID when
	// empty.
	ClientID string
	// Slug is the app's name in URLs; comments are written by "<slug>[bot]".
	// "app-<id>" when empty.
	Slug string
	// Name is the name people see; the slug when empty.
	Name string
	// Owner is the account the app belongs to; "assay-owner" when empty.
	Owner string
	// Key signs the app's tokens; a new one is made when nil.
	Key *rsa.PrivateKey
	// WebhookSecret signs the deliveries; they are unsigned when it is empty.
	WebhookSecret string
	// HookURL is where deliveries go; none are made while it is empty. SetHook
	// changes it.
	HookURL string
	// Permissions are what installations are granted, as {"checks": "write"};
	// DefaultPermissions when nil.
	Permissions map[string]string
	// Events are the events the app is subscribed to; DefaultEvents when nil.
	Events []string

	hookID  int64
	created time.Time
}

// DefaultPermissions are those of an app that reviews pull requests.
func DefaultPermissions() map[string]string {
	return map[string]string{"metadata": "read", "contents": "read", "issues": "read", "checks": "write", "pull_requests": "write", "statuses": "read"}
}

// DefaultEvents are all the events the fake can send that an app subscribes to.
func DefaultEvents() []string {
	return []string{
		"check_run", "check_suite", "issue_comment", "merge_group", "pull_request", "pull_request_review",
		"pull_request_review_comment", "pull_request_review_thread", "push",
	}
}

// keyBits is the size of the keys GitHub makes for apps.
const keyBits = 2048

// AddApp registers an app and returns it complete.
func (s *Server) AddApp(app App) *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := app
	if a.ID == 0 {
		a.ID = s.nextID()
	}
	if s.apps[a.ID] != nil {
		panic(fmt.Sprintf("ghfake: app %d exists already", a.ID))
	}
	setDefault(&a.ClientID, fmt.Sprintf("Iv23%016d", a.ID))
	setDefault(&a.Slug, fmt.Sprintf("app-%d", a.ID))
	setDefault(&a.Name, a.Slug)
	setDefault(&a.Owner, "assay-owner")
	if a.Key == nil {
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			panic(fmt.Sprintf("ghfake: make a key: %v", err))
		}
		a.Key = key
	}
	if a.Permissions == nil {
		a.Permissions = DefaultPermissions()
	}
	if a.Events == nil {
		a.Events = DefaultEvents()
	}
	a.hookID, a.created = s.nextID(), s.stamp()
	s.apps[a.ID] = &a
	return &a
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// KeyPEM is the private key in the form that GitHub hands out (PKCS #1).
func (a *App) KeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.Key)})
}

// BotLogin is the login of the app's own account.
func (a *App) BotLogin() string { return a.Slug + "[bot]" }

// SetHook says where an app's deliveries go from now on, and how they are
// signed.
func (s *Server) SetHook(app *App, url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app.HookURL, app.WebhookSecret = url, secret
}

func (s *Server) appJSON(a *App) object {
	return object{
		"id": a.ID, "slug": a.Slug, "node_id": nodeID("App", a.ID), "client_id": a.ClientID,
		"owner": s.userJSON(s.user(a.Owner)), "name": a.Name, "description": nil,
		"external_url": s.web("apps", a.Slug), "html_url": s.web("apps", a.Slug),
		"created_at": a.created, "updated_at": a.created,
		"permissions": a.Permissions, "events": a.Events,
	}
}

func (s *Server) getApp(c *call) (answer, error) {
	body := s.appJSON(c.caller.app)
	n := 0
	for _, inst := range s.installs {
		if inst.App == c.caller.app {
			n++
		}
	}
	body["installations_count"] = n
	return ok(body), nil
}

// Installation is an app installed on an account.
type Installation struct {
	ID  int64
	App *App
	// Account is the login of the user or organisation.
	Account string

	permissions map[string]string
	selected    map[int64]bool // repositories; nil means all of the account's
	suspendedAt time.Time
	suspendedBy string
	created     time.Time
}

// Install installs an app on an account: on the repositories named (as "shop"
// or "octo-org/shop"), or on all of them when none is named.
func (s *Server) Install(app *App, account string, repos ...string) *Installation {
	s.mu.Lock()
	defer s.mu.Unlock()
	inst := &Installation{
		ID: s.nextID(), App: app, Account: account, permissions: maps.Clone(app.Permissions), created: s.stamp(),
	}
	inst.permissions["metadata"] = "read" // always granted
	s.organisation(account)
	if len(repos) > 0 {
		inst.selected = map[int64]bool{}
	}
	for _, name := range repos {
		if !strings.Contains(name, "/") {
			name = account + "/" + name
		}
		inst.selected[s.mustRepo(name).ID] = true
	}
	s.installs[inst.ID] = inst
	s.emit(Event{Name: "installation", Action: "created", installation: inst, Sender: account})
	return inst
}

// Grant changes the permissions of an installation, as when its owner accepts
// new ones or an app is left with fewer than it wants. Tokens given out before
// keep theirs.
func (s *Server) Grant(inst *Installation, permissions map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inst.permissions = maps.Clone(permissions)
	inst.permissions["metadata"] = "read"
}

// SelectRepos gives an installation of selected repositories further ones, or
// takes some away. It sends installation_repositories.added and .removed.
func (s *Server) SelectRepos(inst *Installation, added, removed []*Repo, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if inst.selected == nil {
		panic(fmt.Sprintf("ghfake: installation %d has all repositories", inst.ID))
	}
	for _, r := range added {
		inst.selected[r.ID] = true
	}
	for _, r := range removed {
		delete(inst.selected, r.ID)
	}
	for _, change := range []struct {
		action string
		repos  []*Repo
	}{{"added", added}, {"removed", removed}} {
		if len(change.repos) == 0 {
			continue
		}
		none := []object{}
		extra := object{"installation": s.installationJSON(inst), "repository_selection": inst.selection(), "requester": nil, "repositories_added": none, "repositories_removed": none}
		extra["repositories_"+change.action] = mapped(change.repos, repoInEvent)
		s.emit(Event{Name: "installation_repositories", Action: change.action, installation: inst, Sender: by, extra: extra})
	}
}

// Suspend suspends an installation: its tokens stop working and no more events
// are sent.
func (s *Server) Suspend(inst *Installation, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inst.suspendedAt, inst.suspendedBy = s.stamp(), by
	s.emit(Event{Name: "installation", Action: "suspend", installation: inst, Sender: by})
}

// Unsuspend undoes Suspend.
func (s *Server) Unsuspend(inst *Installation, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inst.suspendedAt, inst.suspendedBy = time.Time{}, ""
	s.emit(Event{Name: "installation", Action: "unsuspend", installation: inst, Sender: by})
}

// Uninstall removes an installation with its tokens.
func (s *Server) Uninstall(inst *Installation, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit(Event{Name: "installation", Action: "deleted", installation: inst, Sender: by})
	delete(s.installs, inst.ID)
	maps.DeleteFunc(s.tokens, func(_ string, t *token) bool { return t.inst == inst })
}

// has reports whether the installation covers a repository.
func (i *Installation) has(r *Repo) bool {
	return strings.EqualFold(r.Owner, i.Account) && (i.selected == nil || i.selected[r.ID])
}

func (i *Installation) selection() string {
	if i.selected != nil {
		return "selected"
	}
	return "all"
}

// installationsOn are the live installations that cover a repository, oldest
// first.
func (s *Server) installationsOn(r *Repo) []*Installation {
	var out []*Installation
	for _, inst := range s.installs {
		if inst.has(r) && inst.suspendedAt.IsZero() {
			out = append(out, inst)
		}
	}
	slices.SortFunc(out, func(a, b *Installation) int { return int(a.ID - b.ID) })
	return out
}

func (s *Server) installationJSON(i *Installation) object {
	owner := s.user(i.Account)
	o := object{
		"id": i.ID, "account": s.userJSON(owner), "app_id": i.App.ID, "app_slug": i.App.Slug, "client_id": i.App.ClientID,
		"target_id": owner.id, "target_type": owner.kind, "repository_selection": i.selection(),
		"access_tokens_url": s.api("app", "installations", i.ID, "access_tokens"),
		"repositories_url":  s.api("installation", "repositories"),
		"html_url":          s.web("organizations", i.Account, "settings", "installations", i.ID),
		"permissions":       i.permissions, "events": i.App.Events, "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []string{},
		"created_at": i.created, "updated_at": i.created, "suspended_at": nil, "suspended_by": nil,
	}
	if !i.suspendedAt.IsZero() {
		o["suspended_at"], o["suspended_by"] = i.suspendedAt, s.userJSON(s.user(i.suspendedBy))
	}
	return o
}
