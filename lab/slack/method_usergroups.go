package slack

import "slices"

func (s *Server) usergroupMethods() []method {
	read := []string{"usergroups:read"}
	return []method{
		{name: "usergroups.list", scopes: read, tier: tier2, formOnly: true, handle: s.usergroupsList},
		{name: "usergroups.users.list", scopes: read, tier: tier2, formOnly: true, handle: s.usergroupsUsersList},
	}
}

func (s *Server) usergroupsList(c call) (reply, error) {
	views := []object{}
	for _, g := range s.state.groups() {
		if !g.Disabled || c.args.flag("include_disabled") {
			views = append(views, g.view(s.cfg.Team.ID, c.args.flag("include_users"), c.args.flag("include_count")))
		}
	}
	return reply{"usergroups": views}, nil
}

func (s *Server) usergroupsUsersList(c call) (reply, error) {
	id := c.args.str("usergroup")
	if id == "" {
		return nil, invalidArguments("missing required field: usergroup", "")
	}
	groups := s.state.groups()
	i := slices.IndexFunc(groups, func(g UserGroup) bool { return g.ID == id })
	if i < 0 || (groups[i].Disabled && !c.args.flag("include_disabled")) {
		return nil, refuse("no_such_subteam")
	}
	return reply{"users": groups[i].Users}, nil
}
