package main

import (
	"context"
	"errors"
	"strings"

	"tandem/approvals"
	"tandem/commands"
	"tandem/config"
	"tandem/store"
)

// listedRequests is how many requests a list has at most.
const listedRequests = 50

// requests lists requests, or shows one whole. Asking and voting stay in chat.
func (a *app) requests(ctx context.Context, c commands.Requests) int {
	filter := approvals.Filter{Limit: listedRequests + 1}
	switch c.Which {
	case commands.MyRequests:
		a.complain(a.words.Say("mine_in_chat"))
		return exitUsage
	case "":
		filter.States = approvals.Open()
	case commands.PendingRequests:
		filter.States = []approvals.State{approvals.Pending}
	default:
		return a.withStore(ctx, func(s *store.Store, _ *config.Config) int { return a.request(ctx, s, requestID(c.Which)) })
	}
	return a.withStore(ctx, func(s *store.Store, cfg *config.Config) int {
		list, err := a.listing(ctx, s, cfg, filter)
		if err != nil {
			return a.untold(err)
		}
		list.Which = c.Which
		return a.page(commands.RequestsPage(list, a.words), nil)
	})
}

func (a *app) listing(ctx context.Context, s *store.Store, c *config.Config, filter approvals.Filter) (commands.Listing, error) {
	found, err := s.Requests(ctx, filter)
	if err != nil {
		return commands.Listing{}, err
	}
	service, err := frozenOnly(s, c)
	if err != nil {
		return commands.Listing{}, err
	}
	frozen, err := service.Freezes(ctx)
	shown := found[:min(len(found), listedRequests)]
	return commands.Listing{Requests: shown, More: len(found) > listedRequests, Frozen: frozen, Now: a.now()}, err
}

func (a *app) request(ctx context.Context, s *store.Store, id string) int {
	r, err := s.Request(ctx, id)
	if errors.Is(err, approvals.ErrNotFound) {
		return a.noRequest(id)
	}
	var trail []approvals.Entry
	if err == nil {
		trail, err = s.Trail(ctx, approvals.TrailFilter{Request: id})
	}
	if err != nil {
		return a.untold(err)
	}
	return a.page(commands.RequestPage(r, trail, "", a.words), nil)
}

func (a *app) noRequest(id string) int {
	a.complain(a.words.Say("no_such_request", "Request", id))
	return exitUsage
}

// requestID is an id as people type it.
func requestID(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// withStore is withDatabase for requests. Without approvals there is nothing to
// show.
func (a *app) withStore(ctx context.Context, do func(*store.Store, *config.Config) int) int {
	return a.withDatabase(ctx, func(c *config.Config) string {
		if c.Approvals == nil {
			return a.words.Say("no_approvals")
		}
		return ""
	}, do)
}

// withDatabase opens the database of the configuration, for as long as do takes.
// missing says what the configuration lacks for that, or nothing.
func (a *app) withDatabase(ctx context.Context, missing func(*config.Config) string, do func(*store.Store, *config.Config) int) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	if lacks := missing(c); lacks != "" {
		a.complain(lacks)
		return exitUsage
	}
	s, err := openStore(ctx, c.Store, a.log, a.now)
	if err != nil {
		return a.untold(err)
	}
	status := do(s, c)
	if err := s.Close(); err != nil {
		return a.untold(err)
	}
	return status
}

// untold says why the database did not answer, so that nobody can tell. Its
// errors hold no secret, and say the next step themselves.
func (a *app) untold(err error) int {
	if errors.Is(err, context.Canceled) {
		return a.fail(err)
	}
	a.complain(err.Error())
	return exitUnknown
}
