package slack

import (
	"strings"
	"testing"
)

func TestWhatIsSaidToTheBot(t *testing.T) {
	for text, want := range map[string]string{
		"<@U0BOT> diagnose worker":               "diagnose worker",
		"<@U0BOT>: diagnose worker":              "diagnose worker",
		"hey <@U0BOT|tandem>, diagnose worker":   "diagnose worker",
		"diagnose worker <@U0BOT>":               "diagnose worker",
		"<@U0BOT> /vault diagnose worker":        "diagnose worker",
		"<@U0BOT> /vaults diagnose worker":       "/vaults diagnose worker",
		"/vault diagnose worker":                 "diagnose worker",
		"diagnose worker":                        "diagnose worker",
		"<@U0BOT>":                               "",
		"<@U0BOT> /vault":                        "",
		"":                                       "",
		"<@U0BOTTOM> <@U0BOT> help":              "help",
		"<@U0BOT> diagnose worker for <@U0BOT|>": "diagnose worker for <@U0BOT|>",
		"<@U0BOT help":                           "<@U0BOT help",
	} {
		if got := withoutCommand(afterMention(text, "U0BOT"), "/vault"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestTheCommandMayBePastedAfterItself(t *testing.T) {
	for text, want := range map[string]string{
		"/vault diagnose worker": "diagnose worker", " /vault  help": "help", "diagnose /vault": "diagnose /vault", "/vault": "",
	} {
		if got := slashAsk(&slash{Name: "/vault", Text: text}, noon, "REF").text; got != want {
			t.Errorf("/vault %s: got %q, want %q", text, got, want)
		}
	}
}

func FuzzMention(f *testing.F) {
	for _, seed := range []string{"<@U0BOT> help", "<@U0BOT|x> a", "<@U0BOT", "a <@U0BOT>", "<@U0BOT><@U0BOT>", "\u202e<@U0BOT>\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := withoutCommand(afterMention(text, "U0BOT"), "/vault")
		if len(got) > len(text) || !strings.Contains(text, got) {
			t.Errorf("%q became %q, which is no part of it", text, got)
		}
	})
}
