// Package tarball unpacks an archive of a repository, as GitHub and git make
// them, into a directory.
//
// The archive is a stranger's: it may be a bomb, its names may lead out of the
// directory, and its links may point anywhere. Whatever is not a plain file, a
// directory or a link that stays inside is left out and counted; what is over a
// limit ends the unpacking.
package tarball

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"assay/internal/fault"
)

// Limits bound what is unpacked. A zero value is the default.
type Limits struct {
	// Compressed is how many bytes are read, Bytes how many the files may have
	// together.
	Compressed, Bytes int64
	// Entries is how many files, directories and links there may be.
	Entries int
	// Ratio is how many times as large as what was read the files may be, once
	// they have a mebibyte together.
	Ratio int64
}

// Defaults of Limits.
const (
	DefaultCompressed = 200 << 20
	DefaultBytes      = 1 << 30
	DefaultEntries    = 200_000
	// DefaultRatio is above what source code comes to (4 to 10), and below what
	// gzip can at most (about 1030).
	DefaultRatio = 200
	freeBytes    = 1 << 20

	// maxPath and maxName are Linux's.
	maxPath  = 4096
	maxName  = 255
	maxDepth = 100
)

// ErrTooLarge says that an archive is over a limit; the error that wraps it
// says over which.
var ErrTooLarge = errors.New("archive too large")

// Unpacked says what came of an archive.
type Unpacked struct {
	Files int
	Bytes int64
	// LeftOut counts what was not unpacked, by why.
	LeftOut map[string]int
}

// Unpack unpacks a gzipped tar archive into dir, which should be empty, without
// the one directory that GitHub's archives wrap all in when strip is set. With
// an error, what was unpacked so far is left for the caller to remove.
func Unpack(ctx context.Context, archive io.Reader, dir string, strip bool, l Limits) (Unpacked, error) {
	u := unpacker{ctx: ctx, strip: strip, limits: l.withDefaults(), said: Unpacked{LeftOut: make(map[string]int)}, folded: make(map[string]string)}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return u.said, fmt.Errorf("unpack: %w", err)
	}
	defer func() { _ = root.Close() }()
	u.root = root
	if err := u.unpack(archive); err != nil {
		return u.said, fmt.Errorf("unpack the archive: %w", err)
	}
	return u.said, nil
}

func (l Limits) withDefaults() Limits {
	if l.Compressed <= 0 {
		l.Compressed = DefaultCompressed
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Entries <= 0 {
		l.Entries = DefaultEntries
	}
	if l.Ratio <= 0 {
		l.Ratio = DefaultRatio
	}
	return l
}

type unpacker struct {
	ctx    context.Context
	root   *os.Root
	strip  bool
	limits Limits
	read   *counter
	said   Unpacked
	// plain is what tar says beside the files counted, too.
	plain *counter
	// folded are the names that are taken, by their lower-case form: on a file
	// system that folds case, one would overwrite the other.
	folded map[string]string
	links  []link
}

type link struct{ name, target string }

// Why entries are left out.
const (
	outside   = "names outside of the archive"
	special   = "devices, pipes and hard links"
	leaving   = "links that leave the archive"
	badNames  = "names that cannot be a file's"
	colliding = "names that are the same but for case"
)

func (u *unpacker) unpack(archive io.Reader) error {
	u.read = &counter{r: archive, limit: u.limits.Compressed, what: "compressed bytes"}
	unzipped, err := gzip.NewReader(u.read)
	if err != nil {
		return u.bad(err)
	}
	defer func() { _ = unzipped.Close() }()
	// The headers count too: a bomb can be made of them alone.
	u.plain = &counter{r: unzipped, limit: u.limits.Bytes + int64(u.limits.Entries)*1024, what: "bytes"}
	in := tar.NewReader(u)
	for entries := 0; ; entries++ {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return u.makeLinks()
		}
		if err != nil {
			return u.bad(err)
		}
		if entries >= u.limits.Entries {
			return fmt.Errorf("%w: more than %d entries", ErrTooLarge, u.limits.Entries)
		}
		if err := u.entry(header, in); err != nil {
			return err
		}
	}
}

// Read reads what was unzipped, and watches how much it is.
func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.plain.Read(p)
	if u.plain.n > freeBytes && u.plain.n > u.read.n*u.limits.Ratio {
		return n, fmt.Errorf("%w: it unpacks to more than %d times its size", ErrTooLarge, u.limits.Ratio)
	}
	return n, err
}

// bad is the error of an archive that cannot be read.
func (u *unpacker) bad(err error) error {
	if errors.Is(err, ErrTooLarge) || u.ctx.Err() != nil {
		return err
	}
	if errors.Is(err, tar.ErrHeader) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return fault.New(fault.Invalid, err)
	}
	return err
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader: // the commit's SHA
		return nil
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink:
	default:
		u.said.LeftOut[special]++
		return nil
	}
	name, why := u.name(h.Name)
	if why != "" {
		u.said.LeftOut[why]++
		return nil
	}
	if name == "." {
		return nil
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.directory(name)
	case tar.TypeSymlink:
		// Made last, so that nothing is ever written through one.
		u.links = append(u.links, link{name, h.Linkname})
		return nil
	default:
		return u.file(name, h, content)
	}
}

// name is where an entry goes, or why it goes nowhere.
func (u *unpacker) name(raw string) (name, why string) {
	if len(raw) > maxPath || !utf8.ValidString(raw) || strings.ContainsAny(raw, "\x00\\") {
		return "", badNames
	}
	if path.IsAbs(raw) || strings.Contains(raw+"/", "../") {
		return "", outside
	}
	name = path.Clean(raw)
	if u.strip {
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			return ".", ""
		}
		name = rest
	}
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if len(part) > maxName {
			return "", badNames
		}
		// Nobody's checkout has one, and git takes its orders from it.
		if strings.EqualFold(part, ".git") {
			return "", badNames
		}
	}
	if len(parts) > maxDepth {
		return "", badNames
	}
	for i := range parts {
		dir := strings.Join(parts[:i+1], "/")
		folded := strings.ToLower(dir)
		if had, ok := u.folded[folded]; ok && had != dir {
			return "", colliding
		}
		u.folded[folded] = dir
	}
	return name, ""
}

func (u *unpacker) directory(name string) error {
	if err := u.root.MkdirAll(name, 0o755); err != nil {
		return u.conflict(err)
	}
	return nil
}

// conflict is a file where a directory should be, or the other way round, which
// no repository has.
func (u *unpacker) conflict(err error) error {
	if errors.Is(err, os.ErrExist) || strings.Contains(err.Error(), "not a directory") || strings.Contains(err.Error(), "is a directory") {
		u.said.LeftOut[badNames]++
		return nil
	}
	return err
}

func (u *unpacker) file(name string, h *tar.Header, content io.Reader) error {
	if h.Size > u.limits.Bytes-u.said.Bytes {
		return fmt.Errorf("%w: more than %d bytes of files", ErrTooLarge, u.limits.Bytes)
	}
	if dir := path.Dir(name); dir != "." {
		if err := u.root.MkdirAll(dir, 0o755); err != nil {
			return u.conflict(err)
		}
	}
	// The executable bit is all that git knows.
	mode := os.FileMode(0o644)
	if h.Mode&0o111 != 0 {
		mode = 0o755
	}
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return u.conflict(err)
	}
	n, err := io.Copy(f, content)
	u.said.Files++
	u.said.Bytes += n
	if err := errors.Join(err, f.Close()); err != nil {
		return u.bad(err)
	}
	return nil
}

// makeLinks makes the links that stay inside, however they are followed.
func (u *unpacker) makeLinks() error {
	for _, l := range u.links {
		target := path.Join(path.Dir(l.name), l.target)
		if path.IsAbs(l.target) || l.target == "" || len(l.target) > maxPath || strings.ContainsAny(l.target, "\x00\\") || target == ".." || strings.HasPrefix(target, "../") || strings.EqualFold(strings.Split(target, "/")[0], ".git") {
			u.said.LeftOut[leaving]++
			continue
		}
		if dir := path.Dir(l.name); dir != "." {
			if err := u.root.MkdirAll(dir, 0o755); err != nil {
				if err := u.conflict(err); err != nil {
					return err
				}
				continue
			}
		}
		if err := u.root.Symlink(l.target, l.name); err != nil {
			if err := u.conflict(err); err != nil {
				return err
			}
		}
	}
	return u.checkLinks()
}

// checkLinks takes away links that leave through other links: "a/b -> .." is
// harmless where a is a directory, and not where it is a link.
func (u *unpacker) checkLinks() error {
	for again := true; again; {
		again = false
		for _, l := range u.links {
			if _, err := u.root.Lstat(l.name); err != nil {
				continue
			}
			_, err := u.root.Stat(l.name)
			if err == nil || errors.Is(err, os.ErrNotExist) {
				continue // also links that point to nothing, which git keeps
			}
			if err := u.root.Remove(l.name); err == nil {
				u.said.LeftOut[leaving]++
				again = true
			}
		}
	}
	return nil
}

// counter counts what is read, up to a limit.
type counter struct {
	r     io.Reader
	n     int64
	limit int64
	what  string
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.n > c.limit {
		return n, fmt.Errorf("%w: more than %d %s", ErrTooLarge, c.limit, c.what)
	}
	return n, err
}
