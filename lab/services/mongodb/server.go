package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	writeTimeout = 5 * time.Second
	// idleTimeout is longer than any driver's heartbeat.
	idleTimeout = 10 * time.Minute
	// maxConnections is far above what the few clients of a lab open.
	maxConnections = 256
)

// server owns the wire protocol's port: it opens and closes it as the faults say.
type server struct {
	addr      string
	directory directory
	faults    *faultSwitch
	log       *slog.Logger
	lastConn  atomic.Int32
	lastReply atomic.Int32
}

func (s *server) run(ctx context.Context) error {
	for ctx.Err() == nil {
		current, changed := s.faults.get()
		if current.Down == "refused" {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		if err := s.serveWhileOpen(ctx); err != nil {
			return err
		}
	}
	return nil
}

// serveWhileOpen holds the port until ctx ends or the port is to refuse, and then drops every connection.
func (s *server) serveWhileOpen(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen for mongodb: %w", err)
	}
	var owned sync.WaitGroup
	owned.Go(func() { s.closeWhenRefusing(ctx, listener, cancel) })
	slots := make(chan struct{}, maxConnections)
	for {
		conn, err := listener.Accept()
		if err != nil {
			cancel()
			owned.Wait()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = conn.Close() // as mongod does beyond its limit
			continue
		}
		owned.Go(func() {
			defer func() { <-slots }()
			s.serveConn(ctx, conn)
		})
	}
}

func (s *server) closeWhenRefusing(ctx context.Context, listener net.Listener, cancel context.CancelFunc) {
	defer func() { _ = listener.Close() }()
	for {
		current, changed := s.faults.get()
		if current.Down == "refused" {
			cancel()
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) serveConn(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	talk := &conversation{id: s.lastConn.Add(1), addr: s.addr, login: login{directory: s.directory}}
	for {
		if err := s.exchange(ctx, conn, talk); err != nil {
			if errors.Is(err, errMalformed) {
				s.log.WarnContext(ctx, "connection closed", "connection", talk.id, "error", err)
			}
			return
		}
	}
}

// exchange reads one command and answers it.
func (s *server) exchange(ctx context.Context, conn net.Conn, talk *conversation) error {
	if err := conn.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	req, err := readRequest(conn)
	if err != nil {
		return err
	}
	current, err := s.waitWhileHanging(ctx)
	if err != nil {
		return err
	}
	reply, err := encodeReply(req, s.lastReply.Add(1), talk.answer(req, current.NotPrimary))
	if err != nil || req.oneWay {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	if _, err := conn.Write(reply); err != nil {
		return fmt.Errorf("write reply: %w", err)
	}
	return nil
}

// waitWhileHanging keeps a command waiting for as long as the server is told to hang, and returns the faults after.
func (s *server) waitWhileHanging(ctx context.Context) (Faults, error) {
	for {
		current, changed := s.faults.get()
		if current.Down != "hang" {
			return current, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return current, ctx.Err()
		}
	}
}
