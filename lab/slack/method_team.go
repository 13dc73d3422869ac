package slack

func (s *Server) teamMethods() []method {
	return []method{
		{name: "team.info", scopes: []string{"team:read"}, tier: tier3, formOnly: true, handle: s.teamInfo},
		{name: "bots.info", scopes: []string{"users:read"}, tier: tier3, formOnly: true, handle: s.botsInfo},
	}
}

func (s *Server) teamInfo(c call) (reply, error) {
	if id := c.args.str("team"); id != "" && id != s.cfg.Team.ID {
		return nil, refuse("team_not_found")
	}
	t := s.cfg.Team
	return reply{"team": object{
		"id": t.ID, "name": t.Name, "domain": t.Domain, "url": s.URL() + "/", "email_domain": "", "icon": object{"image_default": true},
	}}, nil
}

func (s *Server) botsInfo(c call) (reply, error) {
	if c.args.str("bot") != s.cfg.App.BotID {
		return nil, refuse("bot_not_found")
	}
	return reply{"bot": object{
		"id": s.cfg.App.BotID, "app_id": s.cfg.App.ID, "user_id": s.cfg.App.UserID, "name": s.cfg.App.Name, "deleted": false,
		"updated": 0, "icons": object{},
	}}, nil
}
