package checkout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"assay/review"
)

// objects reads git's objects through two processes that are kept: one tells
// type and size, so that the other is never asked for what is too large.
type objects struct {
	infos, blobs *catFile
}

func newObjects(g git) *objects {
	return &objects{infos: &catFile{git: g, flag: "--batch-check"}, blobs: &catFile{git: g, flag: "--batch"}}
}

func (o *objects) close() error {
	return errors.Join(o.infos.close(), o.blobs.close())
}

// object is what git tells of an object.
type object struct {
	oid, kind string
	size      int64
}

// info returns what a name without newlines names; ErrNotExist when it is no
// file.
func (o *objects) info(ctx context.Context, spec string) (object, error) {
	if spec == "" {
		return object{}, review.ErrNotExist
	}
	var found object
	err := o.infos.ask(ctx, spec, func(answer object, _ *bufio.Reader) error {
		found = answer
		return nil
	})
	if err == nil && found.kind != "blob" {
		err = review.ErrNotExist
	}
	return found, err
}

// blob returns the content of a file of at most limit bytes.
func (o *objects) blob(ctx context.Context, spec string, limit int) ([]byte, error) {
	info, err := o.info(ctx, spec)
	if err != nil {
		return nil, err
	}
	if info.size > int64(limit) {
		return nil, review.ErrTooLarge
	}
	var data []byte
	err = o.blobs.ask(ctx, info.oid, func(answer object, in *bufio.Reader) error {
		if answer.kind != "blob" || answer.size != info.size {
			return fmt.Errorf("object %s is a %s of %d bytes, and was a blob of %d", info.oid, answer.kind, answer.size, info.size)
		}
		data = make([]byte, answer.size)
		if _, err := io.ReadFull(in, data); err != nil {
			return err
		}
		_, err := in.Discard(1) // the newline after it
		return err
	})
	return data, err
}

// catFile is a `git cat-file` that answers one question after the other. It is
// started by the first, and again after a failure.
type catFile struct {
	git  git
	flag string

	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	closed bool
}

// ask names an object and hands the answer to read, which takes its content
// from the reader. It returns review.ErrNotExist when there is no such object.
func (c *catFile) ask(ctx context.Context, spec string, read func(object, *bufio.Reader) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.start(); err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	// A read of a pipe does not heed the context, but ends with the process.
	process := c.cmd.Process
	release := context.AfterFunc(ctx, func() { _ = process.Kill() })
	defer release()
	err := c.exchange(spec, read)
	if err == nil || errors.Is(err, review.ErrNotExist) {
		return err
	}
	c.stop() // what is left in the pipe would answer the next question
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("git cat-file: %w", err)
}

func (c *catFile) exchange(spec string, read func(object, *bufio.Reader) error) error {
	if _, err := io.WriteString(c.in, spec+"\n"); err != nil {
		return err
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return err
	}
	answer, ok := parseAnswer(strings.TrimSuffix(line, "\n"))
	if !ok {
		return review.ErrNotExist
	}
	return read(answer, c.out)
}

// parseAnswer reads "<object> <type> <size>"; any other answer is that there is
// no such object, and why.
func parseAnswer(line string) (object, bool) {
	fields := strings.Split(line, " ")
	if len(fields) != 3 || len(fields[0]) < 40 || strings.Trim(fields[0], "0123456789abcdef") != "" {
		return object{}, false
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	return object{oid: fields[0], kind: fields[1], size: size}, err == nil
}

func (c *catFile) start() (err error) {
	switch {
	case c.closed:
		return errors.New("the checkout is closed")
	case c.cmd != nil:
		return nil
	}
	// Not bound to a question's context: it outlives the question.
	cmd := c.git.command(context.Background(), "cat-file", c.flag)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd, c.in, c.out = cmd, in, bufio.NewReaderSize(out, 64<<10)
	return nil
}

// stop ends the process at once; how it ended is of no interest.
func (c *catFile) stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	c.cmd = nil
}

// close ends the process, which ends by itself when it is asked no more.
func (c *catFile) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.cmd == nil {
		return nil
	}
	err := errors.Join(c.in.Close(), c.cmd.Wait())
	c.cmd = nil
	return err
}
