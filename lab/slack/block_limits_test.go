package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// limit is one rule of Block Kit: the last good value, the first bad one, and what Slack says of the bad one.
type limit struct {
	name      string
	on        surface
	good, bad []any
	problem   string
}

// single is a message of one block.
func single(b object) []any { return []any{b} }

func element(kind string, change ...func(object)) object {
	return block(kind, append([]func(object){with("action_id", "a")}, change...)...)
}

func inputOf(e object, change ...func(object)) object {
	b := block("input", with("label", textOf("plain_text", 1)), with("element", e))
	for _, c := range change {
		c(b)
	}
	return b
}

func choice(text, value int) object {
	return object{"text": textOf("plain_text", text), "value": x(value)}
}

func optionList(n int) []any {
	return times(n, func(i int) object { return object{"text": textOf("plain_text", 1), "value": fmt.Sprint("v", i)} })
}

func rich(elements ...any) object { return block("rich_text", with("elements", elements)) }

func rtSection(elements ...any) object {
	return object{"type": "rich_text_section", "elements": append([]any{}, elements...)}
}

func pie(n, label int) object {
	segments := times(n, func(i int) object {
		return object{"label": fmt.Sprintf("%0*d", label, i), "value": 1}
	})
	return chart(1, object{"type": "pie", "segments": segments})
}

func chart(title int, of object) object {
	return block("data_visualization", with("title", x(title)), with("chart", of))
}

// lines is a line chart of n series with points each.
func lines(n, points int, change ...func(object)) object {
	categories := make([]any, points)
	for i := range categories {
		categories[i] = fmt.Sprint("c", i)
	}
	series := times(n, func(i int) object {
		data := times(points, func(i int) object { return object{"label": fmt.Sprint("c", i), "value": i} })
		return object{"name": fmt.Sprint("s", i), "data": data}
	})
	of := object{"type": "line", "series": series, "axis_config": object{"categories": categories}}
	for _, c := range change {
		c(of)
	}
	return chart(1, of)
}

func (l limit) check(t *testing.T) {
	t.Helper()
	if _, err := parseOn(t, l.good, l.on); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	_, err := parseOn(t, l.bad, l.on)
	var refused *apiError
	if !errors.As(err, &refused) || refused.code != l.on.refusal() {
		t.Fatalf("past the limit: got %v, want %s", err, l.on.refusal())
	}
	if !slices.Contains(refused.messages, "[ERROR] "+l.problem) {
		t.Errorf("got %q, want %q", refused.messages, l.problem)
	}
}

func parseOn(t *testing.T, blocks []any, on surface) ([]object, error) {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return parseBlocks(raw, on)
}

func TestLimitsOfSurfaces(t *testing.T) {
	dividers := func(n int) []any { return times(n, func(int) object { return block("divider") }) }
	for _, l := range []limit{
		{"blocks of a message", onMessage, dividers(50), dividers(51), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"blocks of a modal", onModal, dividers(100), dividers(101), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{"blocks of a Home tab", onHome, dividers(100), dividers(101), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{"table in a modal", onModal, dividers(1), single(table(1, 1)), "unsupported type: table [json-pointer:/view/blocks/0/type]"},
		{"markdown in a Home tab", onHome, dividers(1), single(block("markdown", with("text", "a"))), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"},
		{"chart in a modal", onModal, dividers(1), single(pie(1, 1)), "unsupported type: data_visualization [json-pointer:/view/blocks/0/type]"},
		{"button as an input", onModal, single(inputOf(element("plain_text_input"))), single(inputOf(button())), "unsupported type: button [json-pointer:/view/blocks/0/element/type]"},
		{"field among actions", onModal, single(actions(element("datepicker"))), single(actions(element("number_input"))), "unsupported type: number_input [json-pointer:/view/blocks/0/elements/0/type]"},
	} {
		t.Run(l.name, l.check)
	}
}

func TestLimitsOfInputs(t *testing.T) {
	field := func(change ...func(object)) []any { return single(inputOf(element("plain_text_input", change...))) }
	boxes := func(kind string, n int) []any { return single(inputOf(element(kind, with("options", optionList(n))))) }
	menu := func(change ...func(object)) []any { return single(inputOf(element("static_select", change...))) }
	groups := func(n, options, label int) func(object) {
		return with("option_groups", times(n, func(int) object {
			return object{"label": textOf("plain_text", label), "options": optionList(options)}
		}))
	}
	multi := func(n int) []any {
		return single(inputOf(element("multi_users_select", with("max_selected_items", n))))
	}
	labelled := func(key string, n int) []any {
		return single(inputOf(element("plain_text_input"), with(key, textOf("plain_text", n))))
	}
	focused := func(n int) []any {
		return times(n, func(i int) object {
			return inputOf(element("plain_text_input", with("focus_on_load", true), with("action_id", fmt.Sprint(i))))
		})
	}
	at := "/view/blocks/0/element"
	for _, l := range []limit{
		{"label", onModal, labelled("label", 2000), labelled("label", 2001), "must be less than 2001 characters [json-pointer:/view/blocks/0/label/text]"},
		{"hint", onModal, labelled("hint", 2000), labelled("hint", 2001), "must be less than 2001 characters [json-pointer:/view/blocks/0/hint/text]"},
		{"no element", onModal, field(), single(block("input", with("label", textOf("plain_text", 1)))), "missing required field: element [json-pointer:/view/blocks/0]"},
		{"placeholder", onModal, field(with("placeholder", textOf("plain_text", 150))), field(with("placeholder", textOf("plain_text", 151))), "must be less than 151 characters [json-pointer:" + at + "/placeholder/text]"},
		{"initial value", onModal, field(with("initial_value", x(3000))), field(with("initial_value", x(3001))), "must be less than 3001 characters [json-pointer:" + at + "/initial_value]"},
		{"min_length", onModal, field(with("min_length", 3000)), field(with("min_length", 3001)), "must be less than or equal to 3000 [json-pointer:" + at + "/min_length]"},
		{"max_length", onModal, field(with("max_length", 3000)), field(with("max_length", 3001)), "must be less than or equal to 3000 [json-pointer:" + at + "/max_length]"},
		{"max_length of nothing", onModal, field(with("max_length", 1)), field(with("max_length", 0)), "must be greater than or equal to 1 [json-pointer:" + at + "/max_length]"},
		{"multiline", onModal, field(with("multiline", true)), field(with("multiline", "yes")), "must provide a boolean [json-pointer:" + at + "/multiline]"},
		{"number", onModal, single(inputOf(element("number_input", with("is_decimal_allowed", false)))), single(inputOf(element("number_input"))), "missing required field: is_decimal_allowed [json-pointer:" + at + "]"},
		{"date", onModal, single(inputOf(element("datepicker", with("initial_date", "2026-02-28")))), single(inputOf(element("datepicker", with("initial_date", "2026-02-30")))), "must be a valid date [json-pointer:" + at + "/initial_date]"},
		{"time", onModal, single(inputOf(element("timepicker", with("initial_time", "23:59")))), single(inputOf(element("timepicker", with("initial_time", "24:00")))), "must be a valid time [json-pointer:" + at + "/initial_time]"},
		{"radio buttons", onModal, boxes("radio_buttons", 10), boxes("radio_buttons", 11), "no more than 10 items allowed [json-pointer:" + at + "/options]"},
		{"checkboxes", onModal, boxes("checkboxes", 10), boxes("checkboxes", 11), "no more than 10 items allowed [json-pointer:" + at + "/options]"},
		{"options", onModal, menu(with("options", optionList(100))), menu(with("options", optionList(101))), "no more than 100 items allowed [json-pointer:" + at + "/options]"},
		{"no options", onModal, menu(with("options", optionList(1))), menu(with("options", optionList(0))), "no fewer than 1 items allowed [json-pointer:" + at + "/options]"},
		{"groups", onModal, menu(groups(100, 1, 1)), menu(groups(101, 1, 1)), "no more than 100 items allowed [json-pointer:" + at + "/option_groups]"},
		{"options of a group", onModal, menu(groups(1, 100, 1)), menu(groups(1, 101, 1)), "no more than 100 items allowed [json-pointer:" + at + "/option_groups/0/options]"},
		{"label of a group", onModal, menu(groups(1, 1, 75)), menu(groups(1, 1, 76)), "must be less than 76 characters [json-pointer:" + at + "/option_groups/0/label/text]"},
		{"options and groups", onModal, menu(groups(1, 1, 1)), menu(groups(1, 1, 1), with("options", optionList(1))), "must define either `options` or `option_groups` [json-pointer:" + at + "]"},
		{"value of an option", onModal, menu(with("options", single(choice(1, 150)))), menu(with("options", single(choice(1, 151)))), "must be less than 151 characters [json-pointer:" + at + "/options/0/value]"},
		{"description of an option", onModal, menu(with("options", []any{object{"text": textOf("plain_text", 1), "value": "v", "description": textOf("plain_text", 75)}})), menu(with("options", []any{object{"text": textOf("plain_text", 1), "value": "v", "description": textOf("plain_text", 76)}})), "must be less than 76 characters [json-pointer:" + at + "/options/0/description/text]"},
		{"address of an option", onModal, menu(with("options", optionList(1))), menu(with("options", []any{object{"text": textOf("plain_text", 1), "value": "v", "url": "https://a.b"}})), "invalid additional property: url [json-pointer:" + at + "/options/0]"},
		{"initial option", onModal, menu(with("options", optionList(1)), with("initial_option", optionList(1)[0])), menu(with("options", optionList(1)), with("initial_option", optionList(2)[1])), "initial option `v1` is not one of the options [json-pointer:" + at + "]"},
		{"selected items", onModal, multi(100), multi(101), "must be less than or equal to 100 [json-pointer:" + at + "/max_selected_items]"},
		{"focus", onModal, focused(1), focused(2), "only one element can have focus_on_load [json-pointer:/view/blocks/1/element/focus_on_load]"},
		{"input in a message", onMessage, field(), field(with("min_length", -1)), "must be greater than or equal to 0 [json-pointer:/blocks/0/element/min_length]"},
	} {
		t.Run(l.name, l.check)
	}
}

func TestLimitsOfRichText(t *testing.T) {
	run := func(change ...func(object)) object { return block("text", append(change, with("text", "a"))...) }
	items := func(change ...func(object)) object {
		return block("rich_text_list", append([]func(object){with("style", "bullet"), with("elements", []any{rtSection(run())})}, change...)...)
	}
	link := func(url string) object { return rich(rtSection(block("link", with("url", url)))) }
	for _, l := range []limit{
		{"part", onMessage, single(rich(rtSection())), single(rich(block("paragraph"))), "unsupported type: paragraph [json-pointer:/blocks/0/elements/0/type]"},
		{"text", onMessage, single(rich(rtSection(run()))), single(rich(rtSection(block("text", with("text", ""))))), "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]"},
		{"style", onMessage, single(rich(rtSection(run(with("style", object{"bold": true}))))), single(rich(rtSection(run(with("style", object{"blink": true}))))), "invalid additional property: blink [json-pointer:/blocks/0/elements/0/elements/0/style]"},
		{"link", onMessage, single(link("https://a.b")), single(link("a.b")), "must be a valid url [json-pointer:/blocks/0/elements/0/elements/0/url]"},
		{"mention", onMessage, single(rich(rtSection(block("user", with("user_id", ana))))), single(rich(rtSection(block("user")))), "missing required field: user_id [json-pointer:/blocks/0/elements/0/elements/0]"},
		{"code", onMessage, single(rich(block("rich_text_preformatted", with("elements", []any{run()})))), single(rich(block("rich_text_preformatted", with("elements", []any{block("emoji", with("name", "eyes"))})))), "unsupported type: emoji [json-pointer:/blocks/0/elements/0/elements/0/type]"},
		{"list", onMessage, single(rich(items())), single(rich(items(with("style", "dashed")))), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
		{"indent", onMessage, single(rich(items(with("indent", 8)))), single(rich(items(with("indent", 9)))), "must be less than or equal to 8 [json-pointer:/blocks/0/elements/0/indent]"},
		{"list in a list", onMessage, single(rich(items())), single(rich(items(with("elements", []any{items()})))), "unsupported type: rich_text_list [json-pointer:/blocks/0/elements/0/elements/0/type]"},
	} {
		t.Run(l.name, l.check)
	}
}

func TestLimitsOfCharts(t *testing.T) {
	axes := func(key string, n int) object {
		return lines(1, 1, func(of object) { of["axis_config"].(object)[key] = x(n) })
	}
	named := func(names ...string) object {
		return lines(len(names), 1, func(of object) {
			for i, name := range names {
				of["series"].([]any)[i].(object)["name"] = name
			}
		})
	}
	charts := func(n int) []any { return times(n, func(int) object { return pie(1, 1) }) }
	at := "/blocks/0/chart"
	for _, l := range []limit{
		{"charts", onMessage, charts(2), charts(3), "no more than 2 data_visualization blocks allowed [json-pointer:/blocks/2]"},
		{"title", onMessage, single(chart(50, pie(1, 1)["chart"].(object))), single(chart(51, pie(1, 1)["chart"].(object))), "must be less than 51 characters [json-pointer:/blocks/0/title]"},
		{"segments", onMessage, single(pie(6, 1)), single(pie(7, 1)), "no more than 6 items allowed [json-pointer:" + at + "/segments]"},
		{"label", onMessage, single(pie(1, 20)), single(pie(1, 21)), "must be less than 21 characters [json-pointer:" + at + "/segments/0/label]"},
		{"series", onMessage, single(lines(6, 1)), single(lines(7, 1)), "no more than 6 items allowed [json-pointer:" + at + "/series]"},
		{"points", onMessage, single(lines(1, 20)), single(lines(1, 21)), "no more than 20 items allowed [json-pointer:" + at + "/series/0/data]"},
		{"axis", onMessage, single(axes("x_label", 50)), single(axes("x_label", 51)), "must be less than 51 characters [json-pointer:" + at + "/axis_config/x_label]"},
		{"name of a series", onMessage, single(named(x(20))), single(named(x(21))), "must be less than 21 characters [json-pointer:" + at + "/series/0/name]"},
		{"name twice", onMessage, single(named("a", "b")), single(named("a", "a")), "`a` already exists [json-pointer:" + at + "/series/1]"},
		{"kind", onMessage, single(pie(1, 1)), single(chart(1, object{"type": "radar"})), "unsupported type: radar [json-pointer:" + at + "/type]"},
		{"a point too few", onMessage, single(lines(1, 2)), single(lines(1, 2, func(of object) {
			s := of["series"].([]any)[0].(object)
			s["data"] = s["data"].([]any)[:1]
		})), "must have exactly one point for every category [json-pointer:" + at + "/series/0/data]"},
		{"nothing of the pie", onMessage, single(pie(1, 1)), single(chart(1, object{"type": "pie", "segments": []any{object{"label": "a", "value": 0}}})), "must be greater than 0 [json-pointer:" + at + "/segments/0/value]"},
	} {
		t.Run(l.name, l.check)
	}
}

func TestLimitsOfTheRest(t *testing.T) {
	image := func(change ...func(object)) object { return block("image", append(change, with("alt_text", "a"))...) }
	cell := func(c object) []any { return single(block("table", with("rows", []any{[]any{c}}))) }
	words := func(n int) []any {
		half := []any{object{"type": "raw_text", "text": x(n / 2)}, rich(rtSection(block("text", with("text", x(n-n/2)))))}
		return single(block("table", with("rows", []any{half})))
	}
	settings := func(n int) []any {
		b := table(1, 1)
		b["column_settings"] = times(n, func(int) object { return object{"align": "left"} })
		return single(b)
	}
	small := func(n int) []any {
		return single(block("context_actions", with("elements", times(n, func(i int) object {
			return block("icon_button", with("icon", "trash"), with("text", textOf("plain_text", 1)), with("action_id", fmt.Sprint(i)))
		}))))
	}
	url := func(n int) string { return "https://" + x(n-len("https://")) }
	for _, l := range []limit{
		{"property of a block", onMessage, single(block("divider")), single(block("divider", with("colour", "red"))), "invalid additional property: colour [json-pointer:/blocks/0]"},
		{"property of a text", onMessage, single(section(1)), single(block("section", with("text", object{"type": "mrkdwn", "text": "a", "emoji": true}))), "invalid additional property: emoji [json-pointer:/blocks/0/text]"},
		{"property of a button", onMessage, single(actions(button())), single(actions(button(with("disabled", true)))), "invalid additional property: disabled [json-pointer:/blocks/0/elements/0]"},
		{"label of a button", onMessage, single(actions(button(with("accessibility_label", x(75))))), single(actions(button(with("accessibility_label", x(76))))), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/accessibility_label]"},
		{"deny button", onMessage, single(actions(button(confirm(1, 1, 30)))), single(actions(button(with("confirm", object{"title": textOf("plain_text", 1), "text": textOf("plain_text", 1), "confirm": textOf("plain_text", 1)})))), "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]"},
		{"image", onMessage, single(image(with("image_url", url(3000)))), single(image(with("image_url", url(3001)))), "must be less than 3001 characters [json-pointer:/blocks/0/image_url]"},
		{"image of both kinds", onMessage, single(image(with("slack_file", object{"id": "F1"}))), single(image(with("slack_file", object{"id": "F1"}), with("image_url", url(20)))), "must define either `image_url` or `slack_file` [json-pointer:/blocks/0]"},
		{"alt text", onMessage, single(block("image", with("image_url", url(20)), with("alt_text", x(2000)))), single(block("image", with("image_url", url(20)), with("alt_text", x(2001)))), "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]"},
		{"title of an image", onMessage, single(image(with("image_url", url(20)), with("title", textOf("plain_text", 2000)))), single(image(with("image_url", url(20)), with("title", textOf("plain_text", 2001)))), "must be less than 2001 characters [json-pointer:/blocks/0/title/text]"},
		{"file", onMessage, single(block("file", with("external_id", "1"), with("source", "remote"))), single(block("file", with("external_id", "1"), with("source", "local"))), "must be a valid enum value [json-pointer:/blocks/0/source]"},
		{"cell", onMessage, cell(object{"type": "raw_text", "text": "a"}), cell(object{"type": "raw_text", "text": ""}), "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"},
		{"text of all cells", onMessage, words(10_000), words(10_001), "must be less than 10001 characters [json-pointer:/blocks/0/rows]"},
		{"number in a cell", onMessage, cell(object{"type": "raw_number", "value": 1, "text": "1"}), cell(object{"type": "raw_number", "value": "1", "text": "1"}), "must provide a number [json-pointer:/blocks/0/rows/0/0/value]"},
		{"rich text in a cell", onMessage, cell(rich(rtSection())), cell(rich(block("x"))), "unsupported type: x [json-pointer:/blocks/0/rows/0/0/elements/0/type]"},
		{"columns", onMessage, settings(20), settings(21), "no more than 20 items allowed [json-pointer:/blocks/0/column_settings]"},
		{"small actions", onMessage, small(5), small(6), "no more than 5 items allowed [json-pointer:/blocks/0/elements]"},
		{"choice of an overflow", onMessage, single(actions(element("overflow", with("options", []any{object{"text": textOf("plain_text", 1), "value": "v", "url": "https:" + x(2994)}})))), single(actions(element("overflow", with("options", []any{object{"text": textOf("plain_text", 1), "value": "v", "url": "https:" + x(2995)}})))), "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/options/0/url]"},
	} {
		t.Run(l.name, l.check)
	}
}

// TestEveryElementIsTaken holds that every element passes with the little that it needs.
func TestEveryElementIsTaken(t *testing.T) {
	needs := map[string][]func(object){
		"static_select": {with("options", optionList(1))}, "multi_static_select": {with("options", optionList(1))},
		"radio_buttons": {with("options", optionList(1))}, "checkboxes": {with("options", optionList(1))},
		"overflow": {with("options", optionList(1))}, "number_input": {with("is_decimal_allowed", true)},
		"button": {with("text", textOf("plain_text", 1))},
	}
	for _, kind := range inputElements() {
		if _, err := parseOn(t, single(inputOf(element(kind, needs[kind]...))), onModal); err != nil {
			t.Errorf("%s as an input: %v", kind, err)
		}
	}
	for _, kind := range actionElements() {
		if _, err := parseOn(t, single(actions(element(kind, needs[kind]...))), onHome); err != nil {
			t.Errorf("%s among actions: %v", kind, err)
		}
	}
	for _, kind := range accessories() {
		e := element(kind, needs[kind]...)
		if kind == "image" {
			e = block("image", with("image_url", "https://a.b"), with("alt_text", "a"))
		}
		if _, err := parseOn(t, single(block("section", with("text", textOf("mrkdwn", 1)), with("accessory", e))), onMessage); err != nil {
			t.Errorf("%s beside a section: %v", kind, err)
		}
	}
}

func TestTextOfRichTextCounts(t *testing.T) {
	_, err := parseOn(t, single(rich(rtSection(block("text", with("text", strings.Repeat("a", 12_001)))))), onMessage)
	if codeOf(err) != "msg_blocks_too_long" {
		t.Errorf("got %v", err)
	}
}
