package bench

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// proxy hands TCP connections on to a server that seems to be farther away:
// what is said arrives a delay later, each way, and the handshake takes a round
// trip. Nothing else of a network is imitated: no bandwidth, no loss.
type proxy struct {
	target   string
	delay    time.Duration
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// listen makes a proxy at a free port of loopback.
func listen(target string, delay time.Duration) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{target: target, delay: delay, listener: listener}
	p.work.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// close ends all connections and returns when nothing of the proxy is left.
func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.listener.Close()
	for _, conn := range p.conns {
		conn.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // it ends by close alone
		}
		p.work.Go(func() { p.serve(client) })
	}
}

// own makes a connection one that close ends; it reports false after close.
func (p *proxy) own(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.conns = append(p.conns, conn)
	}
	return !p.closed
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return // the client sees a connection that ends
	}
	defer server.Close()
	if !p.own(client) || !p.own(server) {
		return
	}
	// The kernel has told the client that it is connected, a round trip before
	// a far server could have: the first words wait for it instead.
	connected := time.Now().Add(2 * p.delay)
	var both sync.WaitGroup
	both.Go(func() { p.carry(server, client, connected) })
	both.Go(func() { p.carry(client, server, connected) })
	both.Wait()
}

// parcel is what was said at once, and when it arrives.
type parcel struct {
	data []byte
	at   time.Time
}

// carry takes one direction's words to the other side, each a delay after it
// was said, however much is under way.
func (p *proxy) carry(to, from net.Conn, connected time.Time) {
	way := make(chan parcel, 1024)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(way)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				said := time.Now()
				if said.Before(connected) {
					said = connected
				}
				way <- parcel{data: data[:n], at: said.Add(p.delay)}
			}
			if err != nil {
				return
			}
		}
	})
	for arriving := range way {
		time.Sleep(time.Until(arriving.at))
		if _, err := to.Write(arriving.data); err != nil {
			from.Close() // nobody listens: the reader need not go on
		}
	}
	reader.Wait()
	_ = to.(*net.TCPConn).CloseWrite() // one that is closed already is as good
}

func TestProxyCarriesBothWaysAndEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var server sync.WaitGroup
	server.Go(func() {
		conn, err := echo.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := io.Copy(conn, conn); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	p, err := listen(echo.Addr().String(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("hello ", 50_000)
	server.Go(func() {
		_, err := io.WriteString(conn, want)
		if err := errors.Join(err, conn.(*net.TCPConn).CloseWrite()); err != nil {
			t.Error(err)
		}
	})
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != want {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(want), err)
	}
	conn.Close()
	echo.Close()
	server.Wait()
	p.close()
}
