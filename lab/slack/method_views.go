package slack

import "encoding/json"

func (s *Server) viewMethods() []method {
	return []method{
		{name: "views.open", tier: tier4, handle: s.viewsOpen},
		{name: "views.push", tier: tier4, handle: s.viewsPush},
		{name: "views.update", tier: tier4, handle: s.viewsUpdate},
		{name: "views.publish", tier: tier4, handle: s.viewsPublish},
	}
}

// triggeredView is the modal that the arguments describe, and the trigger that lets it be shown. A view that is wrong
// does not use the trigger up.
func (s *Server) triggeredView(a args) (View, trigger, error) {
	v, err := viewArgument(a, "modal")
	if err != nil {
		return View{}, trigger{}, err
	}
	if a.str("trigger_id") == "" {
		return View{}, trigger{}, refused("[ERROR] missing required field: trigger_id")
	}
	t, err := s.triggers.exchange(a.str("trigger_id"), s.cfg.Now())
	if err != nil {
		return View{}, trigger{}, err
	}
	return s.stamped(v, t.user), t, nil
}

func viewArgument(a args, kind string) (View, error) {
	raw := a.raw("view")
	if raw == nil {
		return View{}, refused("[ERROR] missing required field: view")
	}
	return readView(raw, kind)
}

func (s *Server) viewsOpen(c call) (reply, error) {
	v, _, err := s.triggeredView(c.args)
	if err != nil {
		return nil, err
	}
	return viewReply(s.state.openView(v))
}

func (s *Server) viewsPush(c call) (reply, error) {
	v, t, err := s.triggeredView(c.args)
	if err != nil {
		return nil, err
	}
	return viewReply(s.state.pushView(v, t.view))
}

func viewReply(v View, err error) (reply, error) {
	if err != nil {
		return nil, err
	}
	return reply{"view": v.shown()}, nil
}

func (s *Server) viewsUpdate(c call) (reply, error) {
	v, err := viewArgument(c.args, "modal")
	if err != nil {
		return nil, err
	}
	id := c.args.str("view_id")
	if external := c.args.str("external_id"); id == "" && external != "" {
		old, ok := s.state.viewExternally(external)
		if !ok {
			return nil, refuse("not_found")
		}
		id = old.ID
	}
	if id == "" {
		return nil, refused("[ERROR] missing required field: view_id")
	}
	return viewReply(s.state.updateView(id, c.args.str("hash"), s.stamped(v, "")))
}

func (s *Server) viewsPublish(c call) (reply, error) {
	if !s.cfg.App.Home.HomeTab {
		return nil, refuse("not_enabled")
	}
	v, err := viewArgument(c.args, "home")
	if err != nil {
		return nil, err
	}
	p, ok := s.personByID(c.args.str("user_id"))
	if !ok || p.Deleted {
		return nil, refuse("user_not_found")
	}
	return viewReply(s.state.publish(s.stamped(v, p.ID), c.args.str("hash")))
}

// answeredView is the view of a response_action.
func (s *Server) answeredView(raw json.RawMessage, user string) (View, error) {
	v, err := readView(raw, "modal")
	if err != nil {
		return View{}, err
	}
	return s.stamped(v, user), nil
}
