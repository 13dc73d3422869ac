package slack

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// This file is the language in which blocks and elements are described: a shape lists the properties that an object may
// have, each with the rule its value obeys. Slack refuses every other property, and so does a shape.

// rule checks one value and notes what is wrong with it at path.
type rule func(c *blockCheck, path string, v any)

type field struct {
	name     string
	required bool
	is       rule
}

type shape []field

func must(name string, is rule) field { return field{name: name, required: true, is: is} }
func may(name string, is rule) field  { return field{name: name, is: is} }

// also is a rule for the object as a whole.
func also(is rule) field { return field{is: is} }

// either says that an object has exactly one of two properties.
func either(one, other string) field {
	return also(func(c *blockCheck, path string, v any) {
		if o := v.(object); (o[one] == nil) == (o[other] == nil) {
			c.wrong(path, "must define either `%s` or `%s`", one, other)
		}
	})
}

// shaped checks an object against its shape. Every object may have a type: who picked the shape has looked at it.
func (c *blockCheck) shaped(path string, v any, s shape) {
	o, ok := v.(object)
	if !ok {
		c.wrong(path, "must provide an object")
		return
	}
	for _, f := range s {
		switch value := o[f.name]; {
		case f.name == "":
			f.is(c, path, o)
		case value != nil:
			f.is(c, path+"/"+f.name, value)
		case f.required:
			c.wrong(path, "missing required field: %s", f.name)
		}
	}
	for _, name := range sortedKeys(o) {
		if name != "type" && !slices.ContainsFunc(s, func(f field) bool { return f.name == name }) {
			c.wrong(path, "invalid additional property: %s", name)
		}
	}
}

func sortedKeys(o object) []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func anything(*blockCheck, string, any) {}

func anObject(s shape) rule {
	return func(c *blockCheck, path string, v any) { c.shaped(path, v, s) }
}

// one is an object whose type picks its shape among kinds.
func one(kinds func(kind string) (shape, bool), allowed ...string) rule {
	return func(c *blockCheck, path string, v any) {
		o, _ := v.(object)
		kind, _ := o["type"].(string)
		s, known := kinds(kind)
		if !known || (allowed != nil && !slices.Contains(allowed, kind)) {
			c.wrong(path+"/type", "unsupported type: %s", kind)
			return
		}
		c.shaped(path, o, s)
	}
}

// listOf is an array of least to most items.
func listOf(least, most int, item rule) rule {
	return func(c *blockCheck, path string, v any) {
		items, ok := v.([]any)
		if !ok {
			c.wrong(path, "must provide an array")
			return
		}
		if len(items) < least {
			c.wrong(path, "no fewer than %d items allowed", least)
		}
		c.atMost(path, len(items), most)
		for i, e := range items {
			item(c, path+"/"+strconv.Itoa(i), e)
		}
	}
}

// atMost checks a number of items.
func (c *blockCheck) atMost(path string, n, most int) {
	if n > most {
		c.wrong(path, "no more than %d items allowed", most)
	}
}

// str is a text of least to most characters.
func str(least, most int) rule {
	return func(c *blockCheck, path string, v any) {
		text, ok := v.(string)
		if !ok {
			c.wrong(path, "must provide a string")
			return
		}
		switch n := utf8.RuneCountInString(text); {
		case n < least:
			c.wrong(path, "must be more than %d characters", least-1)
		case n > most:
			c.wrong(path, tooManyCharacters, most+1)
		}
	}
}

// said is a text that counts among the words of the message.
func said(least, most int) rule {
	length := str(least, most)
	return func(c *blockCheck, path string, v any) {
		text, _ := v.(string)
		c.text += utf8.RuneCountInString(text)
		length(c, path, v)
	}
}

func boolean(c *blockCheck, path string, v any) {
	if _, ok := v.(bool); !ok {
		c.wrong(path, "must provide a boolean")
	}
}

// integer is a whole number from least to most.
func integer(least, most int64) rule {
	return func(c *blockCheck, path string, v any) {
		number, _ := v.(json.Number)
		switch n, err := number.Int64(); {
		case err != nil:
			c.wrong(path, "must provide an integer")
		case n < least:
			c.wrong(path, "must be greater than or equal to %d", least)
		case n > most:
			c.wrong(path, "must be less than or equal to %d", most)
		}
	}
}

func number(c *blockCheck, path string, v any) {
	if _, ok := v.(json.Number); !ok {
		c.wrong(path, "must provide a number")
	}
}

func enum(values ...string) rule {
	return func(c *blockCheck, path string, v any) {
		text, _ := v.(string)
		if !slices.Contains(values, text) {
			c.wrong(path, "must be a valid enum value")
		}
	}
}

// formatted is a text that time.Parse understands, such as a date.
func formatted(layout, what string) rule {
	return func(c *blockCheck, path string, v any) {
		text, _ := v.(string)
		if _, err := time.Parse(layout, text); err != nil {
			c.wrong(path, "must be a valid %s", what)
		}
	}
}

// webAddress is an address that Slack itself can fetch or show.
func webAddress(most int) rule {
	return address(most, func(u *url.URL) bool { return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") })
}

// link is an address that a person's browser or another app opens.
func link(most int) rule {
	return address(most, func(u *url.URL) bool { return u.Scheme != "" })
}

func address(most int, is func(*url.URL) bool) rule {
	length := str(1, most)
	return func(c *blockCheck, path string, v any) {
		length(c, path, v)
		text, _ := v.(string)
		if u, err := url.Parse(text); err != nil || !is(u) {
			c.wrong(path, "must be a valid url")
		}
	}
}

// words is a text object of one of the kinds, plain_text and mrkdwn; with none, of either.
func words(most int, kinds ...string) rule {
	return one(func(kind string) (shape, bool) { return textShape(kind, most) }, kinds...)
}

func textShape(kind string, most int) (shape, bool) {
	switch kind {
	case "plain_text":
		return shape{must("text", said(1, most)), may("emoji", boolean)}, true
	case "mrkdwn":
		return shape{must("text", said(1, most)), may("verbatim", boolean)}, true
	}
	return nil, false
}

func plain(most int) rule { return words(most, "plain_text") }

// unique checks an id: its length, and that no other item of the message has it.
func (c *blockCheck) unique(path string, v any, seen map[string]bool) {
	if v == nil {
		return
	}
	str(0, maxID)(c, path, v)
	id, _ := v.(string)
	if id != "" && seen[id] {
		c.wrong(path, "`%s` already exists in this message", id)
	}
	seen[id] = true
}

func actionID(c *blockCheck, path string, v any) { c.unique(path, v, c.actionIDs) }
