package slack

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// errTrouble is what a person sees on a modal whose app answered what Slack cannot use.
var errTrouble = errors.New("invalid_response: we had some trouble connecting, try again")

// interactive sends one interaction and returns what the app answers at once.
func (s *Server) interactive(payload object, answers bool) (json.RawMessage, error) {
	if s.cfg.App.NoInteractivity {
		return nil, refuse("interactivity_disabled")
	}
	return s.deliver(s.ctx, newEnvelope("interactive", payload, answers))
}

// ownView is an open modal of the person, or their Home tab.
func (s *Server) ownView(user, id string) (Person, View, error) {
	p, err := s.human(user)
	if err != nil {
		return Person{}, View{}, err
	}
	v, ok := s.state.view(id)
	if home, is := s.state.home(p.ID); !ok && is && home.ID == id {
		v, ok = home, true
	}
	if !ok || v.User != p.ID {
		return Person{}, View{}, refuse("view_not_found")
	}
	return p, v, nil
}

func (s *Server) clickInView(click Click) error {
	p, v, err := s.ownView(click.User, click.ViewID)
	if err != nil {
		return err
	}
	action := findAction(v.Blocks, click)
	if action == nil {
		return refuse("action_not_found")
	}
	if v.State, err = stateOf(v.Blocks, v.State, withClick(click, action)); err != nil {
		return err
	}
	s.state.fillView(v.ID, v.State)
	action["action_ts"] = s.state.stamp()
	payload := s.interaction("block_actions", p)
	payload["container"] = object{"type": "view", "view_id": v.ID}
	payload["view"], payload["actions"] = v.shown(), []object{action}
	payload["trigger_id"] = s.triggerID(p, v.ID)
	return s.interact(payload)
}

// Submit is a person pressing the submit button of a modal, with what they have filled in: by block_id, then by
// action_id, a text, the value of an option, or a list of them.
type Submit struct {
	User   string                    `json:"user"`
	ViewID string                    `json:"view_id"`
	Values map[string]map[string]any `json:"values"`
}

// Submit sends view_submission to the app and does what its answer says. Outcome.Errors has the texts that stand at the
// inputs, be they Slack's own or the app's.
func (s *Server) Submit(sub Submit) Outcome {
	var at map[string]string
	out := s.timed(func() (_ string, err error) {
		at, err = s.submit(sub)
		return "", err
	})
	out.Errors = at
	return out
}

func (s *Server) submit(sub Submit) (map[string]string, error) {
	p, v, err := s.ownView(sub.User, sub.ViewID)
	if err != nil {
		return nil, err
	}
	if v.Type != "modal" || v.Submit == nil {
		return nil, refuse("view_has_no_submit")
	}
	if v.State, err = stateOf(v.Blocks, v.State, sub.Values); err != nil {
		return nil, err
	}
	if wrong := complaints(v.Blocks, v.State); len(wrong) > 0 {
		return wrong, nil
	}
	s.state.fillView(v.ID, v.State)
	payload := s.interaction("view_submission", p)
	payload["view"], payload["trigger_id"] = v.shown(), s.triggerID(p, v.ID)
	payload["response_urls"] = s.responseURLs(p, v)
	answer, err := s.interactive(payload, true)
	if err != nil {
		return nil, err
	}
	return s.follow(p, v, answer)
}

// responseURLs are the addresses that conversation menus of the modal ask for.
func (s *Server) responseURLs(p Person, v View) []object {
	urls := []object{}
	for _, b := range v.Blocks {
		e, _ := b["element"].(object)
		block, _ := b["block_id"].(string)
		action, _ := e["action_id"].(string)
		channel, _ := v.State.Values[block][action][valueKey(kindOf(e))].(string)
		if e["response_url_enabled"] != true || channel == "" {
			continue
		}
		h := s.hooks.open(hook{kind: "app", channel: channel, user: p.ID}, s.cfg.Now())
		urls = append(urls, object{"block_id": block, "action_id": action, "channel_id": channel, "response_url": s.hookURL(h)})
	}
	return urls
}

// follow does what the app's answer to a submission says: nothing closes the modal.
func (s *Server) follow(p Person, v View, answer json.RawMessage) (map[string]string, error) {
	var said struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	if len(answer) > 0 && json.Unmarshal(answer, &said) != nil {
		return nil, errTrouble
	}
	switch said.Action {
	case "":
		s.state.closeViews(v.ID, false)
		return nil, nil
	case "errors":
		return inputErrors(v, said.Errors)
	case "clear":
		return nil, s.cleared(p, v)
	case "update", "push":
		return nil, s.followWith(said.Action, p, v, said.View)
	}
	return nil, errTrouble
}

// inputErrors are the app's errors if each stands at an input of the modal: Slack shows no others.
func inputErrors(v View, at map[string]string) (map[string]string, error) {
	if len(at) == 0 {
		return nil, errTrouble
	}
	for _, block := range slices.Sorted(maps.Keys(at)) {
		known := slices.ContainsFunc(v.Blocks, func(b object) bool { return isInput(b) && b["block_id"] == block })
		if !known || at[block] == "" {
			return nil, errTrouble
		}
	}
	return at, nil
}

func (s *Server) followWith(action string, p Person, v View, raw json.RawMessage) error {
	fresh, err := s.answeredView(raw, p.ID)
	if err != nil {
		return errors.Join(errTrouble, err)
	}
	if action == "push" {
		_, err = s.state.pushView(fresh, v.ID)
	} else {
		_, err = s.state.updateView(v.ID, "", fresh)
	}
	if err != nil {
		return errors.Join(errTrouble, err)
	}
	return nil
}

func (s *Server) cleared(p Person, v View) error {
	return s.tellClosed(p, s.state.closeViews(v.ID, true), true)
}

// CloseView is a person closing a modal, with those above it; All closes the whole stack.
type CloseView struct {
	User   string `json:"user"`
	ViewID string `json:"view_id"`
	All    bool   `json:"all"`
}

// CloseView takes the modal away and tells the app if it wants to know.
func (s *Server) CloseView(c CloseView) Outcome {
	return s.timed(func() (string, error) {
		p, v, err := s.ownView(c.User, c.ViewID)
		if err != nil {
			return "", err
		}
		if v.Type != "modal" {
			return "", refuse("view_not_found")
		}
		all := c.All || v.ClearOnClose
		return "", s.tellClosed(p, s.state.closeViews(v.ID, all), all)
	})
}

func (s *Server) tellClosed(p Person, gone []View, isCleared bool) error {
	var errs []error
	for _, v := range slices.Backward(gone) {
		if !v.NotifyOnClose {
			continue
		}
		payload := s.interaction("view_closed", p)
		payload["view"], payload["is_cleared"] = v.shown(), isCleared
		errs = append(errs, s.interact(payload))
	}
	return errors.Join(errs...)
}
