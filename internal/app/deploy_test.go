package app

import (
	"maps"
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
	want := map[string]string{"metadata": "read", "contents": "read", "issues": "read", "checks": "write", "pull_requests": "write", "statuses": "read", "merge_queues": "read"}
	if d := cmp.Diff(want, manifest.Permissions); d != "" {
		t.Error(d)
	}
	// What is sent to every app need not, and cannot, be subscribed to
	// (https://docs.github.com/webhooks/webhook-events-and-payloads#installation).
	wanted := make(map[string]bool)
	for _, event := range webhook.Events() {
		if name, _, _ := strings.Cut(event, "."); !strings.HasPrefix(name, "installation") {
			wanted[name] = true
		}
	}
	slices.Sort(manifest.Events)
	if d := cmp.Diff(slices.Sorted(maps.Keys(wanted)), manifest.Events); d != "" {
		t.Errorf("events that are acted on, and those of app.yml: %s", d)
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
