package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"assay/internal/store"
)

// TestReplay holds that nothing is queued that nobody acts on, and that dead
// deliveries are all taken up again when that is confirmed.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	st, err := store.Open(t.Context(), store.Config{URL: filepath.Join(dir, "assay.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	env := map[string]string{"DATA_DIR": dir}
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const repo = `"repository": {"id": 1, "name": "shop", "full_name": "octo-org/shop", "default_branch": "main"}`
	push := file("push.json", `{"ref": "refs/heads/dev", "before": "a", "after": "b", `+repo+`}`)
	assay(t, env, "", "replay", push, "--event", "push").want(t, exitError, "", "nothing acts on this push, so it is not queued")
	main := file("main.json", `{"ref": "refs/heads/main", "before": "a", "after": "b", "commits": [], `+repo+`}`)
	assay(t, env, "", "replay", main, "--wait", "1ms").want(t, exitOK, "queued as delivery replay-", "")
	assay(t, env, "", "replay", file("odd.json", `{}`)).want(t, exitError, "", "give --event")
	assay(t, env, "", "replay").want(t, exitError, "", "give a delivery, a file, or --all-dead")

	waiting, err := st.Deliveries(t.Context(), store.DeliveryAccepted, 5)
	if err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	if err := st.NoteTrouble(t.Context(), waiting[0].ID, "GitHub is out of reach"); err != nil {
		t.Fatal(err)
	}
	assay(t, env, "", "runs").want(t, exitOK, ": GitHub is out of reach\n", "")
	assay(t, env, "", "runs", "--json").want(t, exitOK, `"reason": "GitHub is out of reach"`, "")

	if _, err := st.DB().ExecContext(t.Context(), `UPDATE deliveries SET status = 'dead', finished_at = $1`, time.Now().UnixMicro()); err != nil {
		t.Fatal(err)
	}
	assay(t, env, "", "replay", "--all-dead").want(t, exitOK, "1 dead delivery would be taken up again; add --yes", "")
	assay(t, env, "", "replay", "--all-dead", "--yes").want(t, exitOK, "1 dead delivery taken up again", "")
	assay(t, env, "", "replay", "--all-dead").want(t, exitOK, "0 dead deliveries would", "")
}
