package slack

// OpenHome is a person opening the app's page: its Home tab, or with Tab "messages" the direct messages with it.
type OpenHome struct {
	User string `json:"user"`
	Tab  string `json:"tab"`
}

// Home sends app_home_opened to the app.
func (s *Server) Home(o OpenHome) Outcome {
	return s.timed(func() (string, error) { return "", s.openHome(o) })
}

func (s *Server) openHome(o OpenHome) error {
	p, err := s.human(o.User)
	if err != nil {
		return err
	}
	if o.Tab == "" {
		o.Tab = "home"
	}
	shown := map[string]bool{"home": s.cfg.App.Home.HomeTab, "messages": s.cfg.App.Home.MessagesTab}
	if !shown[o.Tab] || s.foreign(p) {
		return refuse("tab_not_found")
	}
	event := object{
		"type": "app_home_opened", "user": p.ID, "channel": s.directMessages(p).ID, "tab": o.Tab,
		"event_ts": s.state.stamp(),
	}
	if v, ok := s.state.home(p.ID); ok && o.Tab == "home" {
		event["view"] = v.shown()
	}
	return s.emit(event)
}
