package checkout

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"assay/review"
)

// TestReadsRecover holds that a reading process that dies costs one read, and
// that Close ends reading for good.
func TestReadsRecover(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "a\n")
	f.write("b.txt", "b\n")
	f.commit("base")
	f.write("a.txt", "aa\n")
	r, err := Open(t.Context(), f.dir)
	f.do(err)
	c, err := r.Change(t.Context(), Options{})
	f.do(err)
	checkRead(t, c, "before", review.Base, "a.txt", "a\n", nil)
	f.do(r.objects.infos.cmd.Process.Kill())
	for range 2 { // the first finds the process dead
		_, err = c.Contents.Read(t.Context(), review.Base, "absent")
	}
	if errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	checkRead(t, c, "after", review.Base, "b.txt", "b\n", nil)

	f.do(r.Close())
	f.do(r.Close())
	if _, err := c.Contents.Read(t.Context(), review.Base, "absent"); err == nil || errors.Is(err, review.ErrNotExist) {
		t.Errorf("a read after Close: error %v", err)
	}
}

// TestRacyIndex holds that a change made within the same tick of the clock as
// the index is seen, though size and time say that there is none
// (https://git-scm.com/docs/racy-git).
func TestRacyIndex(t *testing.T) {
	f := newFixture(t)
	f.git("config", "core.trustctime", "false")
	tick := time.Now().Add(-time.Hour)
	f.write("a.txt", "one\n")
	f.do(os.Chtimes(f.path("a.txt"), tick, tick))
	f.commit("base")
	f.write("a.txt", "two\n")
	f.do(os.Chtimes(f.path("a.txt"), tick, tick))
	f.do(os.Chtimes(f.path(".git/index"), tick, tick))
	if got := text(file(t, f.change(Options{}), "a.txt")); got != "-one\n+two\n" {
		t.Errorf("diff %q", got)
	}
}
