package llm

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// events reads a stream of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), of which it
// gives the data alone: all three dialects name the event's type in there too.
type events struct {
	lines *bufio.Reader
	alive func()
	data  []byte
	line  []byte
}

// newEvents reads body, which must be bounded. alive is called for each line,
// comments too: they are sent to say that the server is at it.
func newEvents(body io.Reader, alive func()) *events {
	return &events{lines: bufio.NewReaderSize(body, 16<<10), alive: alive}
}

// next returns the data of the next event that has any; io.EOF at the end. It
// is good until the next call. An event that the stream ends in is returned
// too, since servers forget the empty line after the last one; one that is cut
// is not JSON then.
func (e *events) next() ([]byte, error) {
	e.data = e.data[:0]
	some := false
	for {
		line, err := e.readLine()
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			if errors.Is(err, io.EOF) && some {
				return e.data, nil
			}
			return nil, err
		}
		field, ok := bytes.CutPrefix(line, []byte("data:"))
		switch {
		case ok:
			if some {
				e.data = append(e.data, '\n')
			}
			e.data, some = append(e.data, bytes.TrimPrefix(field, []byte(" "))...), true
		case len(line) == 0 && some && len(e.data) > 0:
			return e.data, nil
		}
	}
}

// readLine returns a line without its end.
func (e *events) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		piece, err := e.lines.ReadSlice('\n')
		e.line = append(e.line, piece...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(e.line) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			e.alive()
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(e.line, []byte("\n")), []byte("\r")), err
	}
}
