package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
)

// What the modal asks for: the ids of its blocks, and of what is in them.
const (
	blockService = "service"
	blockSince   = "since"
)

// modalPlace is where the answer to a modal belongs. The modal carries it.
type modalPlace struct {
	Channel string `json:"channel"`
	Thread  string `json:"thread"`
	Aside   string `json:"aside,omitempty"`
}

// shortcut does what a shortcut asks for, whose id is from.CallbackID. When the
// message names one service that is diagnosed in the message's thread, else a
// modal asks which.
func (b *Bot) shortcut(ctx context.Context, a ask, from *interaction) {
	defer b.rescue(ctx, a)
	if from.CallbackID != ShortcutDiagnose {
		return
	}
	a.thread = cmp.Or(a.thread, from.Message.TS)
	named := namedIn(from.Message.words(), b.opts.Diagnoser.Services())
	if len(named) == 1 {
		a.text = "diagnose " + quoted(named[0])
		b.answer(ctx, a)
		return
	}
	who, ok := b.welcome(ctx, a)
	w := b.wordsOf(b.people.langOf(who.Locale))
	if !ok || !b.allow(ctx, a, w, who, commands.Request{Command: "diagnose"}) {
		return
	}
	open := b.open(ctx, a, who)
	named = slices.DeleteFunc(named, func(s string) bool { return !slices.Contains(open, s) })
	view, err := drawModal(open, named, modalPlace{a.channel, a.thread, a.aside}, w)
	if err == nil {
		_, err = b.web.openView(ctx, from.TriggerID, view)
	}
	if err != nil {
		b.log.WarnContext(ctx, "open a modal", "ask", a, "error", err, "details", details(err))
		b.whisper(ctx, a, drawNotice(markMissing, w.Say(textModalFailed)))
	}
}

// namedIn returns the services that a text names as words of their own.
func namedIn(text string, services []string) []string {
	words := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		words[word] = true
		words[strings.Trim(word, "-_.")] = true
	}
	return slices.DeleteFunc(slices.Clone(services), func(s string) bool { return !words[strings.ToLower(s)] })
}

// drawModal asks for a service and how far back to look. Services that the
// message names come first.
func drawModal(services, named []string, place modalPlace, w commands.Words) (slackgo.ModalViewRequest, error) {
	where, err := json.Marshal(place)
	if err != nil {
		return slackgo.ModalViewRequest{}, err
	}
	return slackgo.ModalViewRequest{
		Type: slackgo.VTModal, CallbackID: ShortcutDiagnose, PrivateMetadata: string(where),
		Title:  literal(fit(w.Say(textModalTitle), maxTitle, ellipsis, plain)),
		Submit: literal(fit(w.Say(textModalSubmit), maxTitle, ellipsis, plain)),
		Close:  literal(fit(w.Say(textModalClose), maxTitle, ellipsis, plain)),
		Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{
			input(blockService, w.Say(textModalService), w.Say(textModalServiceHint), serviceElement(services, named, w)),
			input(blockSince, w.Say(textModalSince), "", sinceElement(w)).WithOptional(true),
		}},
	}, nil
}

func input(id, label, hint string, element slackgo.BlockElement) *slackgo.InputBlock {
	block := slackgo.NewInputBlock(id, literal(label), nil, element)
	if hint != "" {
		block.Hint = literal(hint)
	}
	return block
}

// serviceElement is a menu, or a line to type in when a menu cannot hold every
// service.
func serviceElement(services, named []string, w commands.Words) slackgo.BlockElement {
	unfit := func(s string) bool { return size(s) > maxOption }
	if len(services) == 0 || len(services) > maxOptions || slices.ContainsFunc(services, unfit) {
		line := slackgo.NewPlainTextInputBlockElement(nil, blockService).WithMaxLength(maxTyped)
		if len(named) > 0 {
			line.InitialValue = fit(named[0], maxTyped, "", plain)
		}
		return line
	}
	var options []*slackgo.OptionBlockObject
	for _, s := range services {
		options = append(options, slackgo.NewOptionBlockObject(s, literal(s), nil))
	}
	menu := slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, literal(w.Say(textModalChoose)), blockService, options...)
	if len(named) > 0 {
		menu.InitialOption = options[slices.Index(services, named[0])]
	}
	return menu
}

// sinceElement offers windows that incidents have.
func sinceElement(w commands.Words) slackgo.BlockElement {
	var options []*slackgo.OptionBlockObject
	for _, since := range []string{"15m", "30m", "1h", "6h", "24h"} {
		options = append(options, slackgo.NewOptionBlockObject(since, literal(since), nil))
	}
	return slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, literal(w.Say(textModalSinceUsual)), blockSince, options...)
}

// submitted judges what somebody entered in a modal: the answer goes into the
// acknowledgement (nil closes the modal), so that nothing here may wait; run,
// unless it is nil, does the rest.
func (b *Bot) submitted(a ask, from *interaction) (answer any, run func(context.Context)) {
	if from.View.CallbackID != ShortcutDiagnose {
		return nil, b.submittedRequest(a, from)
	}
	var place modalPlace
	if json.Unmarshal([]byte(from.View.PrivateMetadata), &place) != nil {
		return nil, nil
	}
	w := b.wordsOf(b.people.known(a.user))
	entered := from.View.State.Values
	what := commands.Diagnose{Service: strings.TrimSpace(entered[blockService][blockService].text())}
	service, _, err := commands.Resolve(b.opts.Diagnoser, what)
	if err != nil {
		text, _ := w.Explain(err)
		return slackgo.NewErrorsViewSubmissionResponse(map[string]string{blockService: fit(text, maxFieldError, ellipsis, plain)}), nil
	}
	a.channel, a.thread, a.aside, a.text = place.Channel, place.Thread, place.Aside, "diagnose "+quoted(service)
	if since := entered[blockSince][blockSince].text(); since != "" {
		a.text += " --since " + since
	}
	return nil, func(ctx context.Context) { b.answer(ctx, a) }
}
