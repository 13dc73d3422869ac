package slack

import "slices"

// This file is what people act on: buttons, menus, pickers, fields. Every one may have an action_id.

const (
	maxOptions     = 100
	maxBoxes       = 10 // options of radio buttons and checkboxes
	maxOverflow    = 5
	maxInputLength = 3000
)

// actionElements are the elements that may stand in an actions block; with a section, an image may, too.
func actionElements() []string {
	return []string{
		"button", "overflow", "static_select", "multi_static_select", "external_select", "multi_external_select",
		"users_select", "multi_users_select", "conversations_select", "multi_conversations_select", "channels_select",
		"multi_channels_select", "radio_buttons", "checkboxes", "datepicker", "datetimepicker", "timepicker",
	}
}

func accessories() []string {
	return append(slices.DeleteFunc(actionElements(), func(kind string) bool { return kind == "datetimepicker" }), "image")
}

// inputElements are those that hold a value.
func inputElements() []string {
	fields := []string{"plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input"}
	return append(fields, actionElements()[2:]...)
}

func accessoryShape(kind string) (shape, bool) {
	if kind == "image" {
		return imageShape(), true
	}
	return elementShape(kind)
}

// elementShape is the shape of each kind of element.
func elementShape(kind string) (shape, bool) {
	for _, family := range []func(string) shape{buttonShape, optionShape, pickerShape, clockShape, fieldShape} {
		if s := family(kind); s != nil {
			return append(s, may("action_id", actionID)), true
		}
	}
	return nil, false
}

func buttonShape(kind string) shape {
	if kind != "button" {
		return nil
	}
	return shape{
		must("text", plain(75)), may("value", str(0, 2000)), may("url", link(3000)), may("style", enum("primary", "danger")),
		may("confirm", confirmation), may("accessibility_label", str(1, 75)),
	}
}

// confirmation is the question that is asked before the element acts.
func confirmation(c *blockCheck, path string, v any) {
	c.shaped(path, v, shape{
		must("title", plain(100)), must("text", words(300)), must("confirm", plain(30)), must("deny", plain(30)),
		may("style", enum("primary", "danger")),
	})
}

// asking is what most elements may have, menu what those with a placeholder may have, and multi those with several
// choices.
func asking() shape { return shape{may("confirm", confirmation), may("focus_on_load", focus)} }
func menu() shape   { return append(asking(), may("placeholder", plain(150))) }
func multi() shape  { return append(menu(), may("max_selected_items", integer(1, maxOptions))) }

func focus(c *blockCheck, path string, v any) {
	boolean(c, path, v)
	if v != true {
		return
	}
	if c.focused++; c.focused > 1 {
		c.wrong(path, "only one element can have focus_on_load")
	}
}

// optionShape is the elements that bring their choices with them.
func optionShape(kind string) shape {
	choice, box := option("plain_text"), option("plain_text", "mrkdwn")
	switch kind {
	case "overflow":
		linked := anObject(append(optionFields("plain_text"), may("url", link(3000))))
		return shape{must("options", listOf(1, maxOverflow, linked)), may("confirm", confirmation)}
	case "radio_buttons":
		return append(asking(), must("options", listOf(1, maxBoxes, box)), may("initial_option", box), also(initialOption))
	case "checkboxes":
		return append(asking(), must("options", listOf(1, maxBoxes, box)),
			may("initial_options", listOf(1, maxBoxes, box)), also(initialOption))
	case "static_select":
		return append(append(menu(), choices()...), may("initial_option", choice), also(initialOption))
	case "multi_static_select":
		return append(append(multi(), choices()...), may("initial_options", listOf(1, maxOptions, choice)), also(initialOption))
	}
	return nil
}

// choices are the options of a menu, alone or in groups.
func choices() shape {
	options := listOf(1, maxOptions, option("plain_text"))
	group := anObject(shape{must("label", plain(75)), must("options", options)})
	return shape{
		may("options", options), may("option_groups", listOf(1, maxOptions, group)), either("options", "option_groups"),
	}
}

func option(kinds ...string) rule { return anObject(optionFields(kinds...)) }

func optionFields(kinds ...string) shape {
	return shape{must("text", words(75, kinds...)), must("value", str(1, 150)), may("description", words(75, kinds...))}
}

// initialOption says that what is chosen at first is one of the options.
func initialOption(c *blockCheck, path string, v any) {
	e := v.(object)
	values := texts(list(e["options"]), "value")
	for _, g := range list(e["option_groups"]) {
		group, _ := g.(object)
		values = append(values, texts(list(group["options"]), "value")...)
	}
	initial := list(e["initial_options"])
	if e["initial_option"] != nil {
		initial = []any{e["initial_option"]}
	}
	for _, value := range texts(initial, "value") {
		if !slices.Contains(values, value) {
			c.wrong(path, "initial option `%s` is not one of the options", value)
		}
	}
}

// pickerShape is the menus whose choices Slack knows.
func pickerShape(kind string) shape {
	id := str(1, maxID)
	ids := listOf(1, maxOptions, id)
	current := may("default_to_current_conversation", boolean)
	filter := may("filter", anObject(shape{
		may("include", listOf(1, 4, enum("im", "mpim", "private", "public"))),
		may("exclude_external_shared_channels", boolean), may("exclude_bot_users", boolean),
	}))
	answerTo, query := may("response_url_enabled", boolean), may("min_query_length", integer(0, maxID))
	switch kind {
	case "users_select":
		return append(menu(), may("initial_user", id))
	case "multi_users_select":
		return append(multi(), may("initial_users", ids))
	case "conversations_select":
		return append(menu(), may("initial_conversation", id), current, filter, answerTo)
	case "multi_conversations_select":
		return append(multi(), may("initial_conversations", ids), current, filter)
	case "channels_select":
		return append(menu(), may("initial_channel", id), answerTo)
	case "multi_channels_select":
		return append(multi(), may("initial_channels", ids))
	case "external_select":
		return append(menu(), may("initial_option", option("plain_text")), query)
	case "multi_external_select":
		return append(multi(), may("initial_options", listOf(1, maxOptions, option("plain_text"))), query)
	}
	return nil
}

// clockShape is the pickers of days and hours.
func clockShape(kind string) shape {
	switch kind {
	case "datepicker":
		return append(menu(), may("initial_date", formatted("2006-01-02", "date")))
	case "timepicker":
		return append(menu(), may("initial_time", formatted("15:04", "time")), may("timezone", str(1, maxID)))
	case "datetimepicker":
		return append(asking(), may("initial_date_time", integer(1_000_000_000, 9_999_999_999)))
	}
	return nil
}

// fieldShape is what people type into.
func fieldShape(kind string) shape {
	on := shape{may("trigger_actions_on", listOf(1, 2, enum("on_enter_pressed", "on_character_entered")))}
	typed := append(menu()[1:], may("dispatch_action_config", anObject(on)))
	initial := may("initial_value", str(0, maxInputLength))
	switch kind {
	case "plain_text_input":
		return append(typed, initial, may("multiline", boolean), may("min_length", integer(0, maxInputLength)),
			may("max_length", integer(1, maxInputLength)))
	case "number_input":
		return append(typed, initial, must("is_decimal_allowed", boolean), may("min_value", str(1, maxID)),
			may("max_value", str(1, maxID)))
	case "email_text_input", "url_text_input":
		return append(typed, initial)
	case "rich_text_input":
		return append(typed, may("initial_value", one(blockShape, "rich_text")))
	}
	return nil
}

// contextActionShape is the small elements under an answer.
func contextActionShape(kind string) (shape, bool) {
	switch kind {
	case "feedback_buttons":
		b := anObject(shape{must("text", plain(75)), must("value", str(1, 2000)), may("accessibility_label", str(1, 75))})
		return shape{must("positive_button", b), must("negative_button", b), may("action_id", actionID)}, true
	case "icon_button":
		return shape{
			must("icon", enum("trash")), must("text", plain(75)), may("value", str(0, 2000)), may("confirm", confirmation),
			may("accessibility_label", str(1, 75)), may("visible_to_user_ids", listOf(1, maxOptions, str(1, maxID))),
			may("action_id", actionID),
		}, true
	}
	return nil, false
}
