package slack

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// This file checks what blocks are made of: text objects, buttons, menus, ids.

func (c *blockCheck) element(path string, v any, accessory bool) {
	e, _ := v.(object)
	switch kind, _ := e["type"].(string); {
	case kind == "button":
		c.button(path, e)
	case kind == "overflow":
		c.options(path, e, maxOverflow)
	case kind == "static_select":
		c.optional(path, e, "placeholder", maxSectionText, "plain_text")
		c.options(path, e, maxOptions)
	case kind == "image" && accessory:
		c.image(path, e)
		return
	default:
		c.wrong(path+"/type", "unsupported type: %s", kind)
		return
	}
	c.unique(path+"/action_id", e["action_id"], c.actionIDs)
	c.confirm(path+"/confirm", e["confirm"])
}

func (c *blockCheck) button(path string, e object) {
	c.required(path, e, "text", maxButtonText, "plain_text")
	c.str(path+"/value", e["value"], maxButtonValue)
	c.str(path+"/url", e["url"], maxURL)
	if style, set := e["style"]; set && style != "primary" && style != "danger" {
		c.wrong(path+"/style", "must be a valid enum value")
	}
}

func (c *blockCheck) options(path string, e object, limit int) {
	options := list(e["options"])
	c.between(path+"/options", len(options), limit)
	for i, v := range options {
		o, _ := v.(object)
		at := fmt.Sprintf("%s/options/%d", path, i)
		c.required(at, o, "text", maxOptionText, "plain_text", "mrkdwn")
		c.str(at+"/value", o["value"], maxOptionValue)
	}
}

func (c *blockCheck) confirm(path string, v any) {
	if v == nil {
		return
	}
	o, _ := v.(object)
	c.required(path, o, "title", maxConfirmTitle, "plain_text")
	c.required(path, o, "text", maxConfirmText, "plain_text", "mrkdwn")
	c.required(path, o, "confirm", maxConfirmButton, "plain_text")
	c.required(path, o, "deny", maxConfirmButton, "plain_text")
}

func (c *blockCheck) required(path string, o object, key string, limit int, kinds ...string) {
	if o[key] == nil {
		c.wrong(path, "missing required field: %s", key)
		return
	}
	c.optional(path, o, key, limit, kinds...)
}

func (c *blockCheck) optional(path string, o object, key string, limit int, kinds ...string) {
	if o[key] != nil {
		c.textObject(path+"/"+key, o[key], limit, kinds...)
	}
}

func (c *blockCheck) textObject(path string, v any, limit int, kinds ...string) {
	o, ok := v.(object)
	if !ok {
		c.wrong(path, "must provide an object")
		return
	}
	if kind, _ := o["type"].(string); !slices.Contains(kinds, kind) {
		c.wrong(path+"/type", "unsupported type: %s", kind)
	}
	text, _ := o["text"].(string)
	if text == "" {
		c.wrong(path+"/text", "must be more than 0 characters")
	}
	c.text += utf8.RuneCountInString(text)
	c.str(path+"/text", text, limit)
}

// str checks an optional string against its limit.
func (c *blockCheck) str(path string, v any, limit int) {
	if v == nil {
		return
	}
	text, ok := v.(string)
	if !ok {
		c.wrong(path, "must provide a string")
	}
	if utf8.RuneCountInString(text) > limit {
		c.wrong(path, tooManyCharacters, limit+1)
	}
}

// unique checks an id: its length, and that no other item of the message has it.
func (c *blockCheck) unique(path string, v any, seen map[string]bool) {
	c.str(path, v, maxID)
	id, _ := v.(string)
	if id == "" {
		return
	}
	if seen[id] {
		c.wrong(path, "`%s` already exists in this message", id)
	}
	seen[id] = true
}

func (c *blockCheck) between(path string, n, most int) {
	if n == 0 {
		c.wrong(path, "no fewer than 1 items allowed")
	}
	c.atMost(path, n, most)
}

func (c *blockCheck) atMost(path string, n, most int) {
	if n > most {
		c.wrong(path, "no more than %d items allowed", most)
	}
}
