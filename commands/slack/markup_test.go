package slack

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestProseLeavesNothingToFormat(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"plain words":                       "plain words",
		"a & b <c>":                         "a &amp; b &lt;c&gt;",
		"<!here> <@U1>":                     "&lt;!here&gt; &lt;@U1&gt;",
		"*bold*":                            "∗bold∗",
		"_it_ and vault_token_ttl":          "ˍitˍ and vault_token_ttl",
		"~gone~":                            "∼gone∼",
		"read secret/metadata/*":            "read secret/metadata/∗",
		"k8s:sa:worker":                     "`k8s:sa:worker`",
		":+1::tada:":                        "`:+1::tada:`",
		"(k8s:sa:worker, k8s:ns:x), *y*":    "(`k8s:sa:worker`, `k8s:ns:x`), ∗y∗",
		"selectors=k8s:ns:a`b and *c*":      "`selectors=k8s:ns:aˋb` and ∗c∗",
		"k8s:ns:a`b`":                       "`k8s:ns:a` `b`",
		"`b`k8s:ns:a":                       "`b` `k8s:ns:a`",
		"at 10:20:30":                       "at 10:20:30",
		"10.0.0.1:3100: refused":            "10.0.0.1:3100: refused",
		"a:100:":                            "`a:100:`",
		"a: b: c":                           "a: b: c",
		"run `vault kv get *x*` now":        "run `vault kv get *x*` now",
		"run `a <b>`":                       "run `a &lt;b&gt;`",
		"one ` alone":                       "one ˋ alone",
		"``` fenced ```":                    "ˋˋˋ fenced ˋˋˋ",
		"` ` blank span":                    "ˋ ˋ blank span",
		"> quoted\n  > too":                 "› quoted\n› too",
		"tab\there\x00\x1b[31m":             "tab here[31m",
		"right\u202eleft":                   "rightleft",
		"\xff broken":                       "\uFFFD broken",
		"line one\n\nline *two*":            "line one\n\nline ∗two∗",
		"&lt; stays what it was":            "&amp;lt; stays what it was",
		"código `vault token renew` *já*":   "código `vault token renew` ∗já∗",
		"half `open and `closed` one":       "half `open and `closedˋ one",
		"`a` `b` *c*":                       "`a` `b` ∗c∗",
		"2*3*4":                             "2*3*4",
		"a `x` ``y`` *z*":                   "a ˋxˋ ˋˋyˋˋ ∗z∗",
		"https://a.example/b_c_d?x=1&y=2#z": "https://a.example/b_c_d?x=1&amp;y=2#z",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCodeCannotBeLeft(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		" \n ":                "",
		"vault status":        "```\nvault status\n```",
		"echo ```\n<!here>":   "```\necho ˋˋˋ\n&lt;!here&gt;\n```",
		"\nls `pwd`\n":        "```\nls `pwd`\n```",
		"curl 'a?b=1&c=$(d)'": "```\ncurl 'a?b=1&amp;c=$(d)'\n```",
	} {
		if got := codeBlock(in); got != want {
			t.Errorf("codeBlock(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := inlineCode("a `b`\nc <d>"), "`a ˋbˋ c &lt;d&gt;`"; got != want {
		t.Errorf("inlineCode = %q, want %q", got, want)
	}
}

func TestFitCutsWhereTheReaderSeesIt(t *testing.T) {
	for _, c := range []struct {
		name, in string
		limit    int
		notice   string
		render   func(string) string
		want     string
	}{
		{"fits", "abc", 3, ellipsis, plain, "abc"},
		{"one too many", "abcd", 3, ellipsis, plain, "ab…"},
		{"entities stay whole", "&&&&", 12, ellipsis, prose, "&amp;&amp;…"},
		{"counts what Slack counts", "😀😀😀", 5, ellipsis, plain, "😀😀…"},
		{"code blocks stay closed", "abcdefghij", 14, "!", codeBlock, "```\nabcde!\n```"},
		{"the notice is dropped before the limit is broken", "abcdef", 2, "(long notice)", plain, "ab"},
		{"bold stays closed", "abcdefgh", 6, ellipsis, strong, "*abc…*"},
		{"nothing", "", 3, ellipsis, plain, ""},
	} {
		if got := fit(c.in, c.limit, c.notice, c.render); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzMarkup(f *testing.F) {
	for _, seed := range []string{"", "*a*", "<!here>", "`a` ``b", ":a::b:", "> x", "\x00\xff\u202e", "😀&<>"} {
		f.Add(seed, 20)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 12 + max(0, limit)%3000
		for name, render := range map[string]func(string) string{
			"prose": prose, "plain": plain, "strong": strong, "code": inlineCode, "block": codeBlock, "line": oneLine,
		} {
			got := fit(s, limit, ellipsis, render)
			if size(got) > limit {
				t.Errorf("%s: %d characters, more than %d: %q", name, size(got), limit, got)
			}
			if !utf8.ValidString(got) {
				t.Errorf("%s: not UTF-8: %q", name, got)
			}
			if name != "plain" && strings.ContainsAny(got, "<>") {
				t.Errorf("%s: %q has control characters of Slack's", name, got)
			}
			if ticks := strings.Count(got, "`"); name != "block" && name != "plain" && ticks%2 != 0 {
				t.Errorf("%s: a code span stays open in %q", name, got)
			}
			if name == "block" && strings.Count(got, fence)%2 != 0 {
				t.Errorf("a code block stays open in %q", got)
			}
		}
	})
}
