package services

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

const kindMongo = "mongodb"

// mongoCheck is the orchestrator's use of MongoDB: read the URI, connect, ping, and all of it again a little later, so
// that a changed secret shows without a restart.
type mongoCheck struct {
	secret  func(ctx context.Context, mount, name, key string) (string, secretState)
	epoch   func() (int, <-chan struct{})
	metrics *metrics
	log     *slog.Logger
	cfg     Config
}

func (c *mongoCheck) run(ctx context.Context) error {
	pause := max(c.cfg.ttl()/12, c.cfg.tick())
	for ctx.Err() == nil {
		epoch, login := c.epoch()
		if epoch == 0 {
			wait(ctx, forever, login)
			continue
		}
		c.check(ctx)
		wait(ctx, pause)
	}
	return nil
}

func (c *mongoCheck) check(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, c.cfg.callTimeout())
	uri, state := c.secret(call, c.cfg.MongoMount, c.cfg.MongoPath, c.cfg.MongoKey)
	cancel()
	if ctx.Err() != nil {
		return
	}
	c.metrics.credentialsFetched.WithLabelValues(kindMongo, statusOf(state.err())).Inc()
	if state.reason != "" {
		c.failed(ctx, state.reason, state.fields...)
		return
	}
	if reason, fields := c.ping(ctx, uri); reason != "" {
		c.failed(ctx, reason, fields...)
		return
	}
	if ctx.Err() == nil {
		c.log.InfoContext(ctx, "mongodb_connected", "path", c.cfg.MongoPath)
	}
}

func (c *mongoCheck) failed(ctx context.Context, reason string, fields ...any) {
	if ctx.Err() != nil {
		return
	}
	c.log.ErrorContext(ctx, "mongodb_connection_failed", append([]any{"reason", reason, "path", c.cfg.MongoPath}, fields...)...)
}

// ping connects with a client of its own, so that each check authenticates. The driver's words are never logged: they
// quote the URI.
func (c *mongoCheck) ping(ctx context.Context, uri string) (reason string, fields []any) {
	timeout := c.cfg.callTimeout()
	settings := options.Client().ApplyURI(uri).SetServerSelectionTimeout(timeout).SetConnectTimeout(timeout).SetMaxPoolSize(1)
	if settings.Validate() != nil {
		return "invalid_uri", nil
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return "invalid_uri", nil
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second/2)
		defer cancel()
		_ = client.Disconnect(ctx)
	}()
	ctx, cancel := context.WithTimeout(ctx, timeout+time.Second/2)
	defer cancel()
	return mongoReason(client.Ping(ctx, readpref.Primary()))
}

func mongoReason(err error) (string, []any) {
	const authenticationFailed = 18
	var refused mongo.CommandError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &refused) && refused.Code == authenticationFailed:
		return "authentication_failed", []any{"code", refused.Code}
	case errors.As(err, &refused):
		return "command_failed", []any{"code", refused.Code}
	default:
		return "server_selection_timeout", nil
	}
}

// err is for counting: a secret that could not be used counts as an error.
func (s secretState) err() error {
	if s.reason == "" {
		return nil
	}
	return errors.New(s.reason)
}
