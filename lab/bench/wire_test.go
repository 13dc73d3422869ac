package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"
)

// wire is one kept connection to an HTTP server. It writes requests that are
// ready to the last byte and reads no more of an answer than it must: the
// standard library's client takes as long as a server does, and would make any
// two servers look alike.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(b testing.TB, address string) *wire {
	b.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &wire{conn: conn, in: bufio.NewReader(conn)}
}

// do sends a request and returns when the whole answer is there. Any status but
// 200 is an error.
func (w *wire) do(request []byte) error {
	if _, err := w.conn.Write(request); err != nil {
		return err
	}
	line, err := w.line()
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answer %q", line)
	}
	length, err := w.header()
	if err != nil {
		return err
	}
	_, err = w.in.Discard(length)
	return err
}

// header reads to the end of the header and returns the length of the body.
func (w *wire) header() (int, error) {
	length := -1
	for {
		line, err := w.line()
		if err != nil {
			return 0, err
		}
		if len(line) == 0 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without a length: a kept connection cannot go on")
	}
	return length, nil
}

func (w *wire) line() ([]byte, error) {
	line, err := w.in.ReadSlice('\n')
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	return bytes.TrimRight(line, "\r\n"), err
}
