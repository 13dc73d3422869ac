// Package mongodb serves as much of MongoDB's wire protocol as a client needs to say hello, authenticate and ping, and
// fails the way MongoDB fails: code 18 for a wrong password or authSource, code 13 for a command before authentication,
// a member that is not primary, a port that refuses, a server that hangs. It stores nothing.
//
// Run serves until its context ends and returns nil then. Every connection and goroutine is gone when Run returns.
package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"
)

// Config says where to listen and who may log in.
type Config struct {
	// Addr is the host:port of the wire protocol.
	Addr string `json:"addr"`
	// AdminAddr is the host:port of /healthz and /admin/faults.
	AdminAddr string `json:"admin_addr"`
	// Users are all the accounts there are.
	Users []User `json:"users"`
}

// User is one account. A client reaches it only when its authSource is AuthDB.
type User struct {
	Name     string `json:"user"`
	Password string `json:"password"`
	// AuthDB defaults to admin.
	AuthDB string `json:"auth_db"`
}

// Validate reports every fault of the configuration at once.
func (c Config) Validate() error {
	var errs []error
	for field, addr := range map[string]string{"addr": c.Addr, "admin_addr": c.AdminAddr} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			errs = append(errs, fmt.Errorf("%s %q: want host:port", field, addr))
		}
	}
	for i, u := range c.Users {
		if u.Name == "" || u.Password == "" {
			errs = append(errs, fmt.Errorf("users[%d]: user and password are both needed", i))
		}
	}
	return errors.Join(errs...)
}

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("mongodb configuration: %w", err)
	}
	directory, err := newDirectory(cfg.Users)
	if err != nil {
		return err
	}
	faults := newFaultSwitch()
	srv := &server{addr: cfg.Addr, directory: directory, faults: faults, log: slog.Default().With("part", "mongodb")}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return srv.run(ctx) })
	group.Go(func() error { return serveAdmin(ctx, cfg.AdminAddr, faults) })
	return group.Wait()
}
