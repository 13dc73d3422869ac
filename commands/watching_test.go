package commands

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseWatches(t *testing.T) {
	ten, hour := Interval(10*time.Minute), Interval(time.Hour)
	two := Span(2 * time.Hour)
	for text, want := range map[string]Command{
		"watch worker":           Watch{Service: "worker"},
		"watch worker every 10m": Watch{Service: "worker", Every: ten},
		"watch worker every 10m in <#C0INCIDENT|incidents>":    Watch{Service: "worker", Every: ten, In: "#C0INCIDENT"},
		"watch worker in <#C0INCIDENT> every 10m":              Watch{Service: "worker", Every: ten, In: "#C0INCIDENT"},
		"watch worker --every=1h --in <#C0INCIDENT|incidents>": Watch{Service: "worker", Every: hour, In: "#C0INCIDENT"},
		"vigiar worker a cada 10m em <#C0INCIDENT|incidents>":  Watch{Service: "worker", Every: ten, In: "#C0INCIDENT"},
		"vigiar worker cada 1h no #incidents":                  Watch{Service: "worker", Every: hour, In: "#incidents"},
		"unwatch worker":                                       Unwatch{Service: "worker"},
		"desvigiar worker em <#C0INCIDENT|incidents>":          Unwatch{Service: "worker", In: "#C0INCIDENT"},
		"watches": Watches{},
		"vigias":  Watches{},
		"suppress vlt-003 for 2h because we're rebuilding; it's known":  Suppress{Code: "VLT-003", For: two, Reason: "we're rebuilding; it's known"},
		"suppress vlt-003 worker for 2h because deploy":                 Suppress{Code: "VLT-003", About: "worker", For: two, Reason: "deploy"},
		"suppress vlt-003 all for 2h because deploy":                    Suppress{Code: "VLT-003", For: two, Reason: "deploy"},
		"suppress vlt-003 worker --for 2h --owner <@U1> --reason a b":   Suppress{Code: "VLT-003", About: "worker", For: two, Owner: "U1", Reason: "a b"},
		"silenciar vlt-003 worker por 2h porque é conhecido":            Suppress{Code: "VLT-003", About: "worker", For: two, Reason: "é conhecido"},
		"suppress vlt-003 worker for 2d because for because it is both": Suppress{Code: "VLT-003", About: "worker", For: Span(48 * time.Hour), Reason: "for because it is both"},
		"unsuppress vlt-003":          Unsuppress{Code: "VLT-003"},
		"dessilenciar vlt-003 worker": Unsuppress{Code: "VLT-003", Service: "worker"},
	} {
		got, err := ParseChat(text)
		if err != nil {
			t.Errorf("ParseChat(%q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseChat(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseWatchesSaysWhatIsWrong(t *testing.T) {
	watch, suppress := []string{"watch"}, []string{"suppress"}
	for text, want := range map[string]UsageError{
		"watch":                               {Kind: MissingArgument, Path: watch, Word: "service"},
		"watch worker every":                  {Kind: MissingValue, Path: watch, Flag: "--every"},
		"watch worker every 10s":              {Kind: BadInterval, Path: watch, Flag: "--every", Word: "10s"},
		"watch worker --every 25h":            {Kind: BadInterval, Path: watch, Flag: "--every", Word: "25h"},
		"watch worker often":                  {Kind: ExtraArgument, Path: watch, Word: "often"},
		"suppress":                            {Kind: MissingArgument, Path: suppress, Word: "code"},
		"suppress vlt-1":                      {Kind: MissingValue, Path: suppress, Flag: "--reason"},
		"suppress vlt-1 because x":            {Kind: MissingValue, Path: suppress, Flag: "--for"},
		"suppress vlt-1 for 2h":               {Kind: MissingValue, Path: suppress, Flag: "--reason"},
		"suppress vlt-1 for ever because x":   {Kind: BadSpan, Path: suppress, Flag: "--for", Word: "ever"},
		"suppress vlt-1 for 31d because x":    {Kind: BadSpan, Path: suppress, Flag: "--for", Word: "31d"},
		"suppress vlt-1 a b for 1h because x": {Kind: ExtraArgument, Path: suppress, Word: "b"},
	} {
		_, err := ParseChat(text)
		got, ok := errors.AsType[*UsageError](err)
		if !ok {
			t.Errorf("ParseChat(%q) gave %v, want %v", text, err, want)
			continue
		}
		seen := *got
		seen.Words, seen.Meant, seen.Choices, seen.Nearest = nil, "", nil, ""
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("ParseChat(%q) (-want +got):\n%s", text, diff)
		}
	}
}
