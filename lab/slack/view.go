package slack

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The limits of a view.
const (
	maxViewTitle       = 24
	maxPrivateMetadata = 3000
	maxView            = 250 << 10
	maxPushed          = 3 // views in one stack
)

// View is a modal, or a person's Home tab. User is the lab's own.
type View struct {
	ID              string    `json:"id"`
	TeamID          string    `json:"team_id"`
	Type            string    `json:"type"`
	CallbackID      string    `json:"callback_id"`
	ExternalID      string    `json:"external_id"`
	PrivateMetadata string    `json:"private_metadata"`
	Title           object    `json:"title"`
	Submit          object    `json:"submit"`
	Close           object    `json:"close"`
	Blocks          []object  `json:"blocks"`
	State           ViewState `json:"state"`
	Hash            string    `json:"hash"`
	ClearOnClose    bool      `json:"clear_on_close"`
	NotifyOnClose   bool      `json:"notify_on_close"`
	SubmitDisabled  bool      `json:"submit_disabled,omitempty"`
	RootViewID      string    `json:"root_view_id"`
	PreviousViewID  *string   `json:"previous_view_id"`
	AppID           string    `json:"app_id"`
	BotID           string    `json:"bot_id"`
	InstalledTeamID string    `json:"app_installed_team_id"`
	User            string    `json:"user,omitempty"`
}

// ViewState is what a person has filled in: by block_id, then by action_id.
type ViewState struct {
	Values map[string]map[string]object `json:"values"`
}

// shown is the view as the app reads it.
func (v View) shown() View {
	v.User = ""
	return v
}

// readView reads and checks a view that the app wants to show. Its problems carry JSON pointers, as those of blocks do.
func readView(raw json.RawMessage, kind string) (View, error) {
	if len(raw) > maxView {
		return View{}, refuse("view_too_large")
	}
	var fields object
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil || fields == nil {
		return View{}, refused("[ERROR] must provide an object [json-pointer:/view]")
	}
	on := onModal
	if kind == "home" {
		on = onHome
	}
	c := newBlockCheck(on, on.root())
	c.shaped("/view", fields, viewShape(kind))
	var written struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		return View{}, refused("[ERROR] must provide an object [json-pointer:/view]")
	}
	blocks, err := viewBlocks(written.Blocks, on, c)
	if err != nil {
		return View{}, err
	}
	if kind == "modal" && fields["submit"] == nil && slices.ContainsFunc(blocks, isInput) {
		i := slices.IndexFunc(blocks, isInput)
		c.wrong(fmt.Sprintf("/view/blocks/%d/input", i), "must define `submit` to use `input` block")
	}
	if len(c.problems) > 0 {
		return View{}, refused(c.problems...)
	}
	return newView(fields, blocks)
}

// viewBlocks adds the problems of the blocks to those of the view.
func viewBlocks(raw json.RawMessage, on surface, c *blockCheck) ([]object, error) {
	if raw == nil {
		return nil, nil
	}
	blocks, err := parseBlocks(raw, on)
	switch code := codeOf(err); code {
	case "":
		return blocks, nil
	case on.refusal():
		c.problems = append(c.problems, problemsOf(err)...)
		return nil, nil
	case "invalid_blocks_format":
		c.wrong("/view/blocks", "must provide an array")
		return nil, nil
	}
	return nil, err
}

func isInput(b object) bool { return b["type"] == "input" }

// viewShape is what a view may have beside its blocks, which are checked by themselves.
func viewShape(kind string) shape {
	s := shape{
		must("type", enum(kind)), must("blocks", anything), may("private_metadata", str(0, maxPrivateMetadata)),
		may("callback_id", str(0, maxID)), may("external_id", str(0, maxID)),
	}
	if kind == "home" {
		return s
	}
	return append(s, must("title", plain(maxViewTitle)), may("submit", plain(maxViewTitle)), may("close", plain(maxViewTitle)),
		may("clear_on_close", boolean), may("notify_on_close", boolean), may("submit_disabled", boolean))
}

func newView(fields object, blocks []object) (View, error) {
	raw, err := json.Marshal(fields)
	if err != nil {
		return View{}, err
	}
	var v View
	if err := json.Unmarshal(raw, &v); err != nil {
		return View{}, refused("[ERROR] failed to match all allowed schemas [json-pointer:/view]")
	}
	v.Blocks = blocks
	if v.Blocks == nil {
		v.Blocks = []object{}
	}
	v.State = ViewState{Values: map[string]map[string]object{}}
	return v, nil
}

func refused(messages ...string) error {
	return &apiError{code: "invalid_arguments", messages: messages}
}

// stamped gives the view what the workspace adds to it. A view that is written again keeps its id and its place.
func (s *Server) stamped(v View, user string) View {
	v.ID, v.RootViewID = "V"+rand.Text()[:10], ""
	v.TeamID, v.InstalledTeamID, v.AppID, v.BotID = s.cfg.Team.ID, s.cfg.Team.ID, s.cfg.App.ID, s.cfg.App.BotID
	v.RootViewID, v.Hash, v.User = v.ID, newHash(s.cfg.Now()), user
	return v
}

func newHash(now time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return fmt.Sprintf("%d.%s", now.Unix(), hex.EncodeToString(b[:]))
}
