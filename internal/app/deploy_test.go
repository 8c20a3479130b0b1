package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"assay/webhook"
)

// TestManifest holds app.yml to what the service needs: no permission beyond
// those, and every event that it acts on.
func TestManifest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "app.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Permissions map[string]string `yaml:"default_permissions"`
		Events      []string          `yaml:"default_events"`
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"metadata": "read", "contents": "read", "issues": "read", "checks": "write", "pull_requests": "write", "statuses": "read"}
	if d := cmp.Diff(want, manifest.Permissions); d != "" {
		t.Error(d)
	}
	for _, event := range []string{"pull_request.opened", "pull_request.synchronize", "check_run.rerequested", "check_suite.rerequested"} {
		name, action, _ := strings.Cut(event, ".")
		if !webhook.Subscribed(name, action) || !slices.Contains(manifest.Events, name) {
			t.Errorf("%s is not subscribed to, or not in app.yml", event)
		}
	}
	for _, name := range manifest.Events {
		known := slices.ContainsFunc([]string{"opened", "rerequested"}, func(action string) bool { return webhook.Subscribed(name, action) })
		if !known {
			t.Errorf("app.yml asks for %s events, which nothing acts on", name)
		}
	}
}

func TestFlyToml(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "fly.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var fly struct {
		Env     map[string]string
		Mounts  []struct{ Destination string }
		Service struct {
			Port   int    `toml:"internal_port"`
			Stop   string `toml:"auto_stop_machines"`
			Checks []struct{ Path string }
		} `toml:"http_service"`
	}
	if err := toml.Unmarshal(text, &fly); err != nil {
		t.Fatal(err)
	}
	if fly.Env["DATA_DIR"] != fly.Mounts[0].Destination || fly.Service.Port != 8080 || fly.Service.Stop != "off" || fly.Service.Checks[0].Path != "/readyz" {
		t.Errorf("fly.toml would not serve: %+v", fly)
	}
}
