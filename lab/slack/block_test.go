package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func x(n int) string { return strings.Repeat("x", n) }

// textOf is a text object of n characters.
func textOf(kind string, n int) object { return object{"type": kind, "text": x(n)} }

func button(change ...func(object)) object {
	b := object{"type": "button", "text": textOf("plain_text", 5), "action_id": "a"}
	for _, c := range change {
		c(b)
	}
	return b
}

func with(key string, value any) func(object) { return func(o object) { o[key] = value } }

func block(kind string, change ...func(object)) object {
	b := object{"type": kind}
	for _, c := range change {
		c(b)
	}
	return b
}

// times repeats an item, each time made anew with its number.
func times(n int, item func(i int) object) []any {
	items := make([]any, n)
	for i := range items {
		items[i] = item(i)
	}
	return items
}

func numbered(i int) object { return button(with("action_id", fmt.Sprint("a", i))) }

func section(n int) object { return block("section", with("text", textOf("mrkdwn", n))) }

func actions(elements ...any) object { return block("actions", with("elements", elements)) }

func fields(n, length int) object {
	return block("section", with("fields", times(n, func(int) object { return textOf("mrkdwn", length) })))
}

func contextOf(n int) object {
	return block("context", with("elements", times(n, func(int) object { return textOf("mrkdwn", 1) })))
}

func table(rows, columns int) object {
	row := times(columns, func(int) object { return object{"type": "raw_text", "text": "c"} })
	all := make([]any, rows)
	for i := range all {
		all[i] = row
	}
	return block("table", with("rows", all))
}

func confirm(title, text, yes int) func(object) {
	return with("confirm", object{
		"title": textOf("plain_text", title), "text": textOf("plain_text", text),
		"confirm": textOf("plain_text", yes), "deny": textOf("plain_text", 2),
	})
}

// TestBlockLimits takes each limit at its last good value and one past it.
func TestBlockLimits(t *testing.T) {
	options := func(n, text, value int) func(object) {
		return with("options", times(n, func(i int) object {
			v := fmt.Sprintf("%0*d", value, i)
			return object{"text": textOf("plain_text", text), "value": v}
		}))
	}
	menu := func(kind string, n, text, value int) object {
		return actions(block(kind, options(n, text, value)))
	}
	for _, tt := range []struct {
		name      string
		good, bad []any
		problem   string
	}{
		{"blocks", times(50, func(int) object { return section(1) }), times(51, func(int) object { return section(1) }), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"section text", []any{section(3000)}, []any{section(3001)}, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		{"section text empty", []any{section(1)}, []any{section(0)}, "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"fields", []any{fields(10, 1)}, []any{fields(11, 1)}, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		{"field text", []any{fields(1, 2000)}, []any{fields(1, 2001)}, "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"},
		{"header", []any{block("header", with("text", textOf("plain_text", 150)))}, []any{block("header", with("text", textOf("plain_text", 151)))}, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		{"header kind", []any{block("header", with("text", textOf("plain_text", 1)))}, []any{block("header", with("text", textOf("mrkdwn", 1)))}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"},
		{"context", []any{contextOf(10)}, []any{contextOf(11)}, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
		{"actions", []any{actions(times(25, numbered)...)}, []any{actions(times(26, numbered)...)}, "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
		{"button text", []any{actions(button(with("text", textOf("plain_text", 75))))}, []any{actions(button(with("text", textOf("plain_text", 76))))}, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		{"button value", []any{actions(button(with("value", x(2000))))}, []any{actions(button(with("value", x(2001))))}, "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"},
		{"button url", []any{actions(button(with("url", "https:"+x(2994))))}, []any{actions(button(with("url", "https:"+x(2995))))}, "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]"},
		{"button url without a scheme", []any{actions(button(with("url", "https://a.b")))}, []any{actions(button(with("url", "a.b")))}, "must be a valid url [json-pointer:/blocks/0/elements/0/url]"},
		{"image url without a host", []any{block("image", with("image_url", "https://a.b/c.png"), with("alt_text", "a"))}, []any{block("image", with("image_url", "https://"), with("alt_text", "a"))}, "must be a valid url [json-pointer:/blocks/0/image_url]"},
		{"button style", []any{actions(button(with("style", "danger")))}, []any{actions(button(with("style", "red")))}, "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
		{"action_id", []any{actions(button(with("action_id", x(255))))}, []any{actions(button(with("action_id", x(256))))}, "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]"},
		{"action_id twice", []any{actions(numbered(1), numbered(2))}, []any{actions(numbered(1), numbered(1))}, "`a1` already exists in this message [json-pointer:/blocks/0/elements/1/action_id]"},
		{"block_id", []any{block("divider", with("block_id", x(255)))}, []any{block("divider", with("block_id", x(256)))}, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		{"block_id twice", []any{block("divider", with("block_id", "one")), block("divider")}, []any{block("divider", with("block_id", "one")), block("divider", with("block_id", "one"))}, "`one` already exists in this message [json-pointer:/blocks/1/block_id]"},
		{"confirm title", []any{actions(button(confirm(100, 1, 1)))}, []any{actions(button(confirm(101, 1, 1)))}, "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
		{"confirm text", []any{actions(button(confirm(1, 300, 1)))}, []any{actions(button(confirm(1, 301, 1)))}, "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]"},
		{"confirm button", []any{actions(button(confirm(1, 1, 30)))}, []any{actions(button(confirm(1, 1, 31)))}, "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"},
		{"menu", []any{menu("static_select", 100, 1, 3)}, []any{menu("static_select", 101, 1, 3)}, "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		{"option text", []any{menu("static_select", 1, 75, 1)}, []any{menu("static_select", 1, 76, 1)}, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]"},
		{"option value", []any{menu("static_select", 1, 1, 150)}, []any{menu("static_select", 1, 1, 151)}, "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]"},
		{"overflow", []any{menu("overflow", 5, 1, 1)}, []any{menu("overflow", 6, 1, 1)}, "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		{"table rows", []any{table(100, 1)}, []any{table(101, 1)}, "no more than 100 items allowed [json-pointer:/blocks/0/rows]"},
		{"table columns", []any{table(1, 20)}, []any{table(1, 21)}, "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"},
		{"tables", []any{table(1, 1)}, []any{table(1, 1), table(1, 1)}, "only_one_table_allowed [json-pointer:/blocks/1]"},
		{"type", []any{block("divider")}, []any{block("carousel")}, "unsupported type: carousel [json-pointer:/blocks/0/type]"},
		{"element", []any{actions(button())}, []any{actions(block("plain_text_input"))}, "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]"},
		{"accessory", []any{block("section", with("text", textOf("mrkdwn", 1)), with("accessory", button()))}, []any{block("section", with("text", textOf("mrkdwn", 1)), with("accessory", block("button")))}, "missing required field: text [json-pointer:/blocks/0/accessory]"},
		{"section without text", []any{section(1)}, []any{block("section")}, "missing required field: text [json-pointer:/blocks/0]"},
		{"image", []any{block("image", with("image_url", "https://a.b/c"), with("alt_text", "a"))}, []any{block("image", with("image_url", "https://a.b/c"))}, "missing required field: alt_text [json-pointer:/blocks/0]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parse(t, tt.good); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := parse(t, tt.bad)
			var refused *apiError
			if !errors.As(err, &refused) || refused.code != "invalid_blocks" {
				t.Fatalf("past the limit: got %v, want invalid_blocks", err)
			}
			if !slices.Contains(refused.messages, "[ERROR] "+tt.problem) {
				t.Errorf("got %q, want %q", refused.messages, tt.problem)
			}
		})
	}
}

func parse(t *testing.T, blocks []any) ([]object, error) {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return parseBlocks(raw, onMessage)
}

func TestAllTextOfBlocksTogether(t *testing.T) {
	md := func(n int) object { return block("markdown", with("text", x(n))) }
	for _, tt := range []struct {
		name   string
		blocks []any
		want   string
	}{
		{"markdown at the limit", []any{md(12_000)}, ""},
		{"markdown past it", []any{md(6_000), md(6_001)}, "msg_blocks_too_long"},
		{"sections at the limit", times(4, func(int) object { return section(3000) }), ""},
		{"sections past it", append(times(4, func(int) object { return section(3000) }), section(1)), "msg_blocks_too_long"},
		{"characters, not bytes", []any{block("section", with("text", object{"type": "mrkdwn", "text": strings.Repeat("é", 3000)}))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(t, tt.blocks)
			if got := codeOf(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBlocksGetIDs(t *testing.T) {
	nameless := button()
	delete(nameless, "action_id")
	blocks, err := parse(t, []any{actions(nameless, numbered(7)), block("divider", with("block_id", "mine"))})
	if err != nil {
		t.Fatal(err)
	}
	elements := list(blocks[0]["elements"])
	if id := blocks[0]["block_id"]; id == "" || id == nil {
		t.Error("the block has no block_id")
	}
	if id := elements[0].(object)["action_id"]; id == "" || id == nil {
		t.Error("the button has no action_id")
	}
	if got := elements[1].(object)["action_id"]; got != "a7" {
		t.Errorf("the app's own action_id became %v", got)
	}
	if got := blocks[1]["block_id"]; got != "mine" {
		t.Errorf("the app's own block_id became %v", got)
	}
}

func FuzzParseBlocks(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[null]`, `[{}]`, `{}`, `[{"type":"section","text":{"type":"mrkdwn","text":"a"}}]`,
		`[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"a"},"confirm":1}]}]`,
		`[{"type":"table","rows":[[{"type":"raw_text","text":"a"},null],{}]}]`, `[{"type":"context","elements":{}}]`,
		`[{"type":"input","label":{"type":"plain_text","text":"a"},"element":{"type":"static_select","option_groups":[{"options":[1]}],"initial_option":{"value":"a"}}}]`,
		`[{"type":"data_visualization","title":"a","chart":{"type":"line","series":[{"data":[1]}],"axis_config":[]}}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a","style":{}}]}]}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		blocks, err := parseBlocks(raw, onMessage)
		if err != nil {
			return
		}
		again, err := json.Marshal(blocks)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseBlocks(again, onMessage); err != nil {
			t.Errorf("blocks that were accepted are refused the second time: %v", err)
		}
	})
}
