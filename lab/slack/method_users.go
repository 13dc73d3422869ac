package slack

func (s *Server) userMethods() []method {
	read := []string{"users:read"}
	return []method{
		{name: "users.info", scopes: read, tier: tier4, formOnly: true, handle: s.usersInfo},
		{name: "users.list", scopes: read, tier: tier2, formOnly: true, handle: s.usersList},
	}
}

func (s *Server) usersInfo(c call) (reply, error) {
	p, ok := s.personByID(c.args.str("user"))
	if !ok {
		return nil, refuse("user_not_found")
	}
	return reply{"user": p.view(s.cfg.Team.ID, s.seen(c.args))}, nil
}

// personByID keeps the API to ids: names are for the lab's own requests.
func (s *Server) personByID(id string) (Person, bool) {
	p, ok := s.state.person(id)
	return p, ok && p.ID == id
}

func (s *Server) usersList(c call) (reply, error) {
	page, next, err := pageOf(s.state.everyone(), c.args)
	if err != nil {
		return nil, err
	}
	members := make([]object, len(page))
	for i, p := range page {
		members[i] = p.view(s.cfg.Team.ID, s.seen(c.args))
	}
	return reply{"members": members, "cache_ts": s.cfg.Now().Unix(), "response_metadata": nextCursor(next)}, nil
}

func (s *Server) seen(a args) seen {
	return seen{locale: a.flag("include_locale"), email: s.granted("users:read.email")}
}
