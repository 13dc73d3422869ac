package slack

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tandem/commands"
	"tandem/diagnostics"
)

// drawWhoAmI says what Slack says of the asker, what they may ask here, and why
// not the rest.
func (b *Bot) drawWhoAmI(ctx context.Context, a ask, w commands.Words, who commands.Person) []message {
	chunks := []chunk{{safe: strong(cmp.Or(who.Name, who.ID)) + " · " + inlineCode(who.ID) + " · " + inlineCode(who.Team)}}
	add := func(text string) { chunks = append(chunks, chunk{safe: prose(text)}) }
	add(w.Say(textWhoMember))
	add(w.Say(textWhoLanguage, "Language", languageName(w), "Locale", cmp.Or(who.Locale, "–"), "Zone", cmp.Or(who.Zone, "–")))
	if in := b.groupsOf(ctx, who); len(in) > 0 {
		chunks = append(chunks, chunk{safe: prose(w.Say(textWhoGroups)) + " " + named(in, groupMention)})
	}
	chunks = append(chunks, chunk{safe: strong(w.Say(textWhoMay)), apart: true})
	chunks = append(chunks, b.drawRights(ctx, a, w, who)...)
	chunks = append(chunks, b.drawPolicy(ctx, w, who)...)
	left, limit := b.quota.Left(who.ID)
	chunks = append(chunks, chunk{safe: prose(w.Say(textWhoLeft, "Left", left, "Limit", limit)), apart: true})
	return []message{sections(w.Say(textWhoMember), chunks)}
}

func languageName(w commands.Words) string {
	if w.Lang == diagnostics.Portuguese {
		return "português"
	}
	return "English"
}

// groupsOf are the user groups of the rules that a person is in.
func (b *Bot) groupsOf(ctx context.Context, who commands.Person) []string {
	var in []string
	for _, rule := range b.opts.Access {
		for _, group := range rule.Groups {
			if slices.Contains(in, group) {
				continue
			}
			if member, err := b.groups.has(ctx, group, who.ID); err == nil && member {
				in = append(in, group)
			}
		}
	}
	return in
}

// drawRights says for each command what the asker may do here.
func (b *Bot) drawRights(ctx context.Context, a ask, w commands.Words, who commands.Person) []chunk {
	var chunks []chunk
	var free []string
	for _, command := range commands.Governed() {
		if command == "diagnose" {
			chunks = append(chunks, b.drawServices(ctx, a, w, who)...)
			continue
		}
		d := b.decide(ctx, a, who, commands.Request{Command: command})
		if d.Allowed {
			free = append(free, command)
			continue
		}
		chunks = append(chunks, b.drawNot(a, w, command, d)...)
	}
	free = append(free, "help", "whoami", "version")
	return append(chunks, chunk{safe: "✅ " + inlineCodes(free)})
}

// drawServices says which services the asker may diagnose here; those that are
// refused for the same reason are said together.
func (b *Bot) drawServices(ctx context.Context, a ask, w commands.Words, who commands.Person) []chunk {
	services := b.opts.Diagnoser.Services()
	var may []string
	refused := map[string][]string{} // by the drawn reason
	var reasons []string
	decisions := map[string]commands.Decision{}
	for _, service := range services {
		d := b.decide(ctx, a, who, commands.Request{Command: "diagnose", Service: service})
		if d.Allowed {
			may = append(may, service)
			continue
		}
		reason := string(d.Reason) + strings.Join(drawRules(d, w), "\n")
		if refused[reason] == nil {
			reasons = append(reasons, reason)
		}
		refused[reason], decisions[reason] = append(refused[reason], service), d
	}
	var chunks []chunk
	switch {
	case len(may) == len(services):
		chunks = append(chunks, chunk{safe: "✅ " + inlineCode("diagnose") + " " + prose(w.Say(textWhoAll))})
	case len(may) > 0:
		chunks = append(chunks, chunk{safe: "✅ " + inlineCode("diagnose") + " " + inlineCodes(may)})
	}
	for _, reason := range reasons {
		chunks = append(chunks, b.drawNot(a, w, "diagnose "+strings.Join(refused[reason], ", "), decisions[reason])...)
	}
	return chunks
}

// drawNot says what the asker may not ask here, and who may or where.
func (b *Bot) drawNot(a ask, w commands.Words, what string, d commands.Decision) []chunk {
	text := w.Say(reasonText(d.Reason), "What", "`"+fit(what, shareName, ellipsis, plain)+"`")
	chunks := []chunk{{safe: markRefused + " " + prose(text)}}
	for _, rule := range drawRules(d, w) {
		chunks = append(chunks, chunk{safe: "      • " + rule})
	}
	return append(chunks, b.drawUnread(a, d, w)...)
}

// maxCodes is how many names a list of names has.
const maxCodes = 40

func inlineCodes(names []string) string {
	all := make([]string, 0, len(names))
	for _, name := range names[:min(len(names), maxCodes)] {
		all = append(all, inlineCode(name))
	}
	if len(names) > maxCodes {
		all = append(all, ellipsis)
	}
	return strings.Join(all, ", ")
}
