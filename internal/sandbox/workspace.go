package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Where the service runs as root, each workspace has a user of its own: the
// range that systemd keeps for such users, which user namespaces map too
// (https://systemd.io/UIDS-GIDS/).
const (
	firstUser = 61184
	users     = 65519 - firstUser
)

// Workspace is a directory for programs to work on, with a private one for
// temporary files beside it. It is for one program at a time.
type Workspace struct {
	// Dir is the directory, empty when it is made.
	Dir string
	// base holds Dir, tmp and home.
	base string
	// user is who owns the workspace and runs programs; 0 for ourselves.
	user int
}

// users hands out the users of workspaces in turn. It holds no state that
// matters: two workspaces with one user are kept apart by Landlock still.
var nextUser atomic.Uint32

// NewWorkspace makes a workspace in parent; empty is the directory for
// temporary files. The caller closes it.
func NewWorkspace(parent string) (*Workspace, error) {
	base, err := os.MkdirTemp(parent, "assay-sandbox-")
	if err != nil {
		return nil, fmt.Errorf("make a workspace: %w", err)
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		return nil, fmt.Errorf("make a workspace: %w", err)
	}
	w := &Workspace{base: base, Dir: filepath.Join(base, "work")}
	if os.Geteuid() == 0 {
		w.user = firstUser + int(nextUser.Add(1)%users)
	}
	for _, dir := range []string{w.Dir, w.tmp(), w.home()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			_ = os.RemoveAll(base)
			return nil, fmt.Errorf("make a workspace: %w", err)
		}
	}
	return w, nil
}

func (w *Workspace) tmp() string  { return filepath.Join(w.base, "tmp") }
func (w *Workspace) home() string { return filepath.Join(w.base, "home") }

// own gives the workspace to its user.
func (w *Workspace) own() error {
	if w.user == 0 {
		return nil
	}
	// Links are not followed, and there is nobody yet who could swap a
	// directory for one on the way.
	return filepath.WalkDir(w.base, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, w.user, w.user)
	})
}

// Close removes the workspace with all that programs left in it.
func (w *Workspace) Close() error {
	if os.RemoveAll(w.base) == nil {
		return nil
	}
	// A program may have taken its own right to its directories away.
	_ = filepath.WalkDir(w.base, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(w.base); err != nil {
		return fmt.Errorf("remove a workspace: %w", err)
	}
	return nil
}
