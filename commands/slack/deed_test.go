package slack

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	lab "tandem/lab/slack"
)

// deed is what somebody does in a conversation.
type deed struct {
	who    string
	how    string // empty: writes
	label  string // of what is clicked or chosen
	where  string // #channel, tandem, home or modal
	number int    // of a message there, or of a button; zero: none
	text   string
}

var deedLine = regexp.MustCompile(
	`^([\w.]+) (?:(clicks|chooses) \[(.+?)\] |(reacts|unreacts) (:[\w+-]+:) |(opens|submits|invites tandem) )?` +
		`@ (#[\w-]+|tandem|home|modal|whisper|card)(?: (?:\((?:thread|message|button) )?(\d+)\)?)?(?:: (.*))?$`,
)

// readDeed reads a line in which somebody does something; what the bot says is
// no deed.
func readDeed(line string) (deed, bool) {
	m := deedLine.FindStringSubmatch(line)
	if m == nil || m[1] == "tandem" || m[1] == "slackbot" {
		return deed{}, false
	}
	number, _ := strconv.Atoi(m[8]) // digits, or nothing
	return deed{who: m[1], how: cmp.Or(m[2], m[4], m[6]), label: cmp.Or(m[3], m[5]), where: m[7], number: number, text: m[9]}, true
}

// do does it, and waits until the bot has nothing left to do.
func (p *play) do(d deed) {
	p.t.Helper()
	got := p.did(d)
	if got.Error != "" && got.Error != "not_supported_in_threads" {
		p.t.Errorf("%+v: %s", d, got.Error)
	}
	p.rest()
}

// rest waits until the bot has nothing left to do, its jobs neither.
func (p *play) rest() {
	p.t.Helper()
	idle := func() bool {
		return len(p.bot.crew.places) == 0 && len(p.bot.apologists.places) == 0 && !p.bot.homes.atWork()
	}
	p.eventually("the bot has nothing left to do", idle)
	if p.stage != nil {
		p.stage.work()
		p.eventually("the bot has nothing left to do", idle)
	}
}

// atWork says whether Home tabs are being brought up to date.
func (h *homes) atWork() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.busy
}

func (p *play) did(d deed) lab.Outcome {
	user, channel := p.userID(d.who), p.channelID(d.who, d.where)
	target := ""
	if d.number > 0 && channel != "" {
		target = p.roots(channel)[d.number-1].TS
	}
	switch {
	case d.how == "clicks" && d.where == "home":
		click := p.homeButton(user, d.label, max(d.number, 1))
		return p.Click(click)
	case d.where == "card" || d.how == "reacts" || d.how == "unreacts":
		return p.didAtCard(user, channel, target, d)
	case d.how == "clicks" && d.where == "whisper":
		return p.Click(p.whispered(user, d.label))
	case d.how == "clicks":
		return p.Click(lab.Click{User: user, Channel: channel, TS: target, ActionID: p.button(channel, target, d.label)})
	case d.how == "chooses":
		return p.Shortcut(lab.UseShortcut{User: user, Channel: channel, TS: target, CallbackID: ShortcutDiagnose})
	case d.how == "opens":
		return p.Home(lab.OpenHome{User: user})
	case d.how == "submits":
		return p.submit(user, d.text)
	case d.how == "invites tandem":
		return p.Member(lab.Member{Action: "join", User: "U0TANDEM01", Channel: channel, Inviter: user})
	}
	text := strings.ReplaceAll(d.text, "@tandem", "<@U0TANDEM01>")
	return p.Say(lab.Said{User: user, Channel: cmp.Or(channel, "@tandem"), Text: text, ThreadTS: target})
}

// submit fills in the person's modal with words like service=worker. What the
// modal says against that stands in the conversation.
func (p *play) submit(user, text string) lab.Outcome {
	open := p.State(user).Views
	if len(open) == 0 {
		p.t.Fatalf("%s has no modal open", user)
	}
	values := map[string]map[string]any{}
	for _, m := range regexp.MustCompile(`(\w+)=("[^"]*"|\S+)`).FindAllStringSubmatch(text, -1) {
		values[m[1]] = map[string]any{m[1]: strings.Trim(m[2], `"`)}
	}
	return p.Submit(lab.Submit{User: user, ViewID: open[len(open)-1].ID, Values: values})
}

// homeButton is a click on one of the buttons that say so on the Home tab.
func (p *play) homeButton(user, label string, nth int) lab.Click {
	view := p.State(user).Homes[user]
	for _, b := range view.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range append(elements, b["accessory"]) {
			element, _ := e.(map[string]any)
			if plainOf(element) != "["+label+"]" {
				continue
			}
			if nth--; nth == 0 {
				return lab.Click{User: user, ViewID: view.ID, ActionID: fmt.Sprint(element["action_id"]), Value: element["value"]}
			}
		}
	}
	p.t.Fatalf("there is no button %q on the Home tab", label)
	return lab.Click{}
}

// views are the person's modal and Home tab, when they are others than before.
func (p *play) views(who string) string {
	user := p.userID(who)
	state := p.State(user)
	out := ""
	for _, v := range state.Views {
		text := plainOf(v.Title) + "\n" + render(lab.Message{Blocks: v.Blocks}) + "\n(" + plainOf(v.Close) + ") (" + plainOf(v.Submit) + ")"
		out += p.changed("modal of "+who, p.tidy(indent(text)))
	}
	if home, ok := state.Homes[user]; ok {
		out += p.changed("home of "+who, p.tidy(indent(render(lab.Message{Blocks: home.Blocks}))))
	}
	return out
}

// changed is a view below its name, or nothing when it was so before.
func (p *play) changed(name, text string) string {
	if p.seen[name+text] {
		return ""
	}
	p.seen[name+text] = true
	return name + ":\n" + text
}
