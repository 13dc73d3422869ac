package slack

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file turns what people choose and type into the values that payloads carry.

// valueKey is the field that holds the value of an element that is not made of options.
func valueKey(kind string) string {
	switch kind {
	case "plain_text_input", "number_input", "email_text_input", "url_text_input":
		return "value"
	case "users_select":
		return "selected_user"
	case "conversations_select":
		return "selected_conversation"
	case "channels_select":
		return "selected_channel"
	case "multi_users_select":
		return "selected_users"
	case "multi_conversations_select":
		return "selected_conversations"
	case "multi_channels_select":
		return "selected_channels"
	case "datepicker":
		return "selected_date"
	case "timepicker":
		return "selected_time"
	case "datetimepicker":
		return "selected_date_time"
	case "rich_text_input":
		return "rich_text_value"
	case "static_select", "external_select", "radio_buttons", "overflow":
		return "selected_option"
	case "multi_static_select", "multi_external_select", "checkboxes":
		return "selected_options"
	}
	return ""
}

// initialKey is the field of an element that says what it holds before anybody has touched it.
func initialKey(kind string) string {
	switch key := valueKey(kind); key {
	case "value", "rich_text_value":
		return "initial_value"
	default:
		return strings.Replace(key, "selected_", "initial_", 1)
	}
}

func ofOptions(key string) bool { return key == "selected_option" || key == "selected_options" }

func several(key string) bool { return strings.HasSuffix(key, "s") }

// elementsOf are the interactive elements of a block, wherever they stand in it.
func elementsOf(b object) []object {
	var elements []object
	for _, v := range append(list(b["elements"]), b["accessory"], b["element"]) {
		if e, ok := v.(object); ok && interactive(e) {
			elements = append(elements, e)
		}
	}
	return elements
}

func kindOf(e object) string {
	kind, _ := e["type"].(string)
	return kind
}

// stateful reports whether state.values keeps what was chosen: everything but buttons and overflow menus.
func stateful(e object) bool { return valueKey(kindOf(e)) != "" && kindOf(e) != "overflow" }

// filled is the element holding v: for options their values, else the value itself; nil is nothing chosen.
func filled(e object, v any) (object, error) {
	kind := kindOf(e)
	key := valueKey(kind)
	if key == "" {
		return nil, fmt.Errorf("a %s holds no value", kind)
	}
	if several(key) {
		values := strung(v)
		if ofOptions(key) {
			chosen, err := chosenOptions(e, values)
			return object{"type": kind, key: chosen}, err
		}
		return object{"type": kind, key: values}, nil
	}
	if v == nil || v == "" {
		return object{"type": kind, key: nil}, nil
	}
	if ofOptions(key) {
		chosen, err := chosenOptions(e, strung(v))
		if err != nil {
			return nil, err
		}
		return object{"type": kind, key: chosen[0]}, nil
	}
	return object{"type": kind, key: v}, nil
}

// strung is v, a text or a list of texts, as a list.
func strung(v any) []string {
	texts := []string{}
	switch v := v.(type) {
	case string:
		if v != "" {
			texts = append(texts, v)
		}
	case []string:
		texts = append(texts, v...)
	case []any:
		for _, e := range v {
			texts = append(texts, fmt.Sprint(e))
		}
	}
	return texts
}

func chosenOptions(e object, values []string) ([]object, error) {
	chosen := []object{}
	for _, value := range values {
		i := slices.IndexFunc(optionsOf(e), func(o object) bool { return o["value"] == value })
		if i < 0 {
			return nil, fmt.Errorf("no option %q in %v", value, e["action_id"])
		}
		chosen = append(chosen, optionsOf(e)[i])
	}
	return chosen, nil
}

// optionsOf are all options of a menu, those of its groups too.
func optionsOf(e object) []object {
	var options []object
	add := func(l []any) {
		for _, v := range l {
			if o, ok := v.(object); ok {
				options = append(options, o)
			}
		}
	}
	add(list(e["options"]))
	for _, v := range list(e["option_groups"]) {
		if group, ok := v.(object); ok {
			add(list(group["options"]))
		}
	}
	return options
}

// untouched is the element as it was before anybody touched it.
func untouched(e object) object {
	kind := kindOf(e)
	key := valueKey(kind)
	initial := e[initialKey(kind)]
	if initial == nil && several(key) {
		initial = []any{}
	}
	return object{"type": kind, key: initial}
}

// stateOf is what the blocks hold: what was filled in before, or else what they began with, and over it what is filled
// in now. Something filled in that is not there is an error.
func stateOf(blocks []object, before ViewState, now map[string]map[string]any) (ViewState, error) {
	st := ViewState{Values: map[string]map[string]object{}}
	unused := copied(now)
	for _, b := range blocks {
		block, _ := b["block_id"].(string)
		for _, e := range elementsOf(b) {
			action, _ := e["action_id"].(string)
			if !stateful(e) {
				continue
			}
			value, old := before.Values[block][action]
			if !old {
				value = untouched(e)
			}
			if v, is := now[block][action]; is {
				var err error
				if value, err = filled(e, v); err != nil {
					return ViewState{}, err
				}
				delete(unused[block], action)
			}
			st.put(block, action, value)
		}
	}
	for _, block := range slices.Sorted(maps.Keys(unused)) {
		for _, action := range slices.Sorted(maps.Keys(unused[block])) {
			return ViewState{}, fmt.Errorf("nothing to fill in at block %q, action %q", block, action)
		}
	}
	return st, nil
}

func copied(values map[string]map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	for block, actions := range values {
		all[block] = maps.Clone(actions)
	}
	return all
}

// complaints are what Slack itself says about the inputs of a modal before it bothers the app with them.
func complaints(blocks []object, st ViewState) map[string]string {
	all := map[string]string{}
	for _, b := range blocks {
		if !isInput(b) {
			continue
		}
		block, _ := b["block_id"].(string)
		e, _ := b["element"].(object)
		action, _ := e["action_id"].(string)
		if text := complaint(b, e, st.Values[block][action][valueKey(kindOf(e))]); text != "" {
			all[block] = text
		}
	}
	return all
}

func complaint(b, e object, v any) string {
	text, _ := v.(string)
	switch n := utf8.RuneCountInString(text); {
	case isNothing(v) && b["optional"] == true:
		return ""
	case isNothing(v):
		return "Please complete this required field."
	case wholeNumber(e["min_length"]) > n:
		return fmt.Sprintf("Must be at least %d characters.", wholeNumber(e["min_length"]))
	case e["max_length"] != nil && wholeNumber(e["max_length"]) < n:
		return fmt.Sprintf("Must be no more than %d characters.", wholeNumber(e["max_length"]))
	}
	return misfit(e, text)
}

// misfit is what is wrong with a text that must be a number, an address or a link.
func misfit(e object, text string) string {
	switch kindOf(e) {
	case "number_input":
		return misnumbered(e, text)
	case "email_text_input":
		if _, err := mail.ParseAddress(text); err != nil {
			return "Please enter a valid email address."
		}
	case "url_text_input":
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
			return "Please enter a valid URL."
		}
	}
	return ""
}

func misnumbered(e object, text string) string {
	n, err := strconv.ParseFloat(text, 64)
	low, lowErr := strconv.ParseFloat(fmt.Sprint(e["min_value"]), 64)
	high, highErr := strconv.ParseFloat(fmt.Sprint(e["max_value"]), 64)
	switch {
	case err != nil:
		return "Please enter a number."
	case e["is_decimal_allowed"] != true && n != math.Trunc(n):
		return "Please enter a whole number."
	case lowErr == nil && n < low:
		return fmt.Sprintf("Must be at least %v.", e["min_value"])
	case highErr == nil && n > high:
		return fmt.Sprintf("Must be no more than %v.", e["max_value"])
	}
	return ""
}

func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	case []object:
		return len(v) == 0
	}
	return false
}

func wholeNumber(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	whole, _ := n.Int64()
	return int(whole)
}
