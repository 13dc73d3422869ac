package slack

func (s *Server) authMethods() []method {
	return []method{
		{name: "auth.test", handle: s.authTest},
		{name: "api.test", handle: apiTest},
	}
}

func (s *Server) authTest(call) (reply, error) {
	return reply{
		"url": s.URL() + "/", "team": s.cfg.Team.Name, "user": s.botName(), "team_id": s.cfg.Team.ID,
		"user_id": s.cfg.App.UserID, "bot_id": s.cfg.App.BotID, "is_enterprise_install": false,
	}, nil
}

func (s *Server) botName() string {
	p, _ := s.state.person(s.cfg.App.UserID)
	return p.Name
}

// apiTest says again what it was told, and fails with the error that it is asked for.
func apiTest(c call) (reply, error) {
	if code := c.args.str("error"); code != "" {
		return nil, refuse(code)
	}
	return reply{"args": c.args.logged()}, nil
}
