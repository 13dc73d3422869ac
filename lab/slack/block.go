package slack

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// object is one JSON object of a block, an event or a payload.
type object = map[string]any

// The limits of Block Kit in a message.
const (
	maxSectionText    = 3000
	maxFields         = 10
	maxFieldText      = 2000
	maxHeaderText     = 150
	maxContextItems   = 10
	maxActions        = 25
	maxButtonText     = 75
	maxButtonValue    = 2000
	maxURL            = 3000
	maxID             = 255
	maxOptions        = 100
	maxOverflow       = 5
	maxOptionText     = 75
	maxOptionValue    = 150
	maxConfirmTitle   = 100
	maxConfirmText    = 300
	maxConfirmButton  = 30
	maxAltText        = 2000
	maxMarkdown       = 12_000 // all markdown blocks of a message together
	maxTableRows      = 100
	maxTableColumns   = 20
	maxTables         = 1
	maxAllBlockText   = 12_000 // all text of all blocks together
	pointerFormat     = "[ERROR] %s [json-pointer:%s]"
	tooManyCharacters = "must be less than %d characters"
)

// parseBlocks reads and checks the blocks of a message or a view. The blocks it returns have ids, as Slack gives to those
// without.
func parseBlocks(raw json.RawMessage, on surface) ([]object, error) {
	var blocks []object
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&blocks); err != nil {
		return nil, refuse("invalid_blocks_format")
	}
	c := blockCheck{on: on, blockIDs: map[string]bool{}}
	c.all(blocks)
	if len(c.problems) > 0 {
		return nil, &apiError{code: on.refusal(), messages: c.problems}
	}
	if on == onMessage && c.text > maxAllBlockText || c.markdownText > maxMarkdown {
		return nil, refuse("msg_blocks_too_long")
	}
	for _, b := range blocks {
		giveIDs(b)
	}
	return blocks, nil
}

func giveIDs(block object) {
	ensureID(block, "block_id")
	for _, e := range append(list(block["elements"]), block["accessory"]) {
		if element, ok := e.(object); ok && interactive(element) {
			ensureID(element, "action_id")
		}
	}
}

func ensureID(o object, key string) {
	if id, _ := o[key].(string); id == "" {
		o[key] = rand.Text()[:5]
	}
}

func interactive(element object) bool {
	switch element["type"] {
	case "button", "overflow", "static_select":
		return true
	}
	return false
}

// blockCheck collects what is wrong with a message's blocks, each problem with its JSON pointer.
type blockCheck struct {
	on           surface
	problems     []string
	text         int // characters of all blocks
	markdownText int
	tables       int
	blockIDs     map[string]bool
	actionIDs    map[string]bool
}

func (c *blockCheck) wrong(path, format string, a ...any) {
	c.problems = append(c.problems, fmt.Sprintf(pointerFormat, fmt.Sprintf(format, a...), path))
}

func (c *blockCheck) all(blocks []object) {
	c.actionIDs = map[string]bool{}
	c.atMost(c.on.root(), len(blocks), c.on.maxBlocks())
	for i, b := range blocks {
		path := fmt.Sprintf("%s/%d", c.on.root(), i)
		c.unique(path+"/block_id", b["block_id"], c.blockIDs)
		c.block(path, b)
	}
}

func (c *blockCheck) block(path string, b object) {
	switch kind, _ := b["type"].(string); kind {
	case "header":
		c.required(path, b, "text", maxHeaderText, "plain_text")
	case "section":
		c.section(path, b)
	case "context":
		c.context(path, b)
	case "actions":
		c.actions(path, b)
	case "markdown":
		c.markdown(path, b)
	case "table":
		c.table(path, b)
	case "image":
		c.image(path, b)
	case "divider", "rich_text":
	case "":
		c.wrong(path, "missing required field: type")
	default:
		c.wrong(path+"/type", "unsupported type: %s", kind)
	}
}

func (c *blockCheck) section(path string, b object) {
	_, hasFields := b["fields"]
	if b["text"] == nil && !hasFields {
		c.wrong(path, "missing required field: text")
	}
	c.optional(path, b, "text", maxSectionText, "plain_text", "mrkdwn")
	fields := list(b["fields"])
	if hasFields {
		c.between(path+"/fields", len(fields), maxFields)
	}
	for i, f := range fields {
		c.textObject(fmt.Sprintf("%s/fields/%d", path, i), f, maxFieldText, "plain_text", "mrkdwn")
	}
	if b["accessory"] != nil {
		c.element(path+"/accessory", b["accessory"], true)
	}
}

func (c *blockCheck) context(path string, b object) {
	elements := list(b["elements"])
	c.between(path+"/elements", len(elements), maxContextItems)
	for i, e := range elements {
		at := fmt.Sprintf("%s/elements/%d", path, i)
		if element, ok := e.(object); ok && element["type"] == "image" {
			c.image(at, element)
			continue
		}
		c.textObject(at, e, maxSectionText, "plain_text", "mrkdwn")
	}
}

func (c *blockCheck) actions(path string, b object) {
	elements := list(b["elements"])
	c.between(path+"/elements", len(elements), maxActions)
	for i, e := range elements {
		c.element(fmt.Sprintf("%s/elements/%d", path, i), e, false)
	}
}

func (c *blockCheck) markdown(path string, b object) {
	text, _ := b["text"].(string)
	if text == "" {
		c.wrong(path+"/text", "must be more than 0 characters")
	}
	n := utf8.RuneCountInString(text)
	c.text += n
	c.markdownText += n
}

func (c *blockCheck) image(path string, b object) {
	if b["image_url"] == nil && b["slack_file"] == nil {
		c.wrong(path, "missing required field: image_url")
	}
	c.str(path+"/image_url", b["image_url"], maxURL)
	if b["alt_text"] == nil {
		c.wrong(path, "missing required field: alt_text")
	}
	c.str(path+"/alt_text", b["alt_text"], maxAltText)
}

func (c *blockCheck) table(path string, b object) {
	c.tables++
	if c.tables > maxTables {
		c.wrong(path, "only_one_table_allowed")
	}
	rows := list(b["rows"])
	c.between(path+"/rows", len(rows), maxTableRows)
	c.atMost(path+"/column_settings", len(list(b["column_settings"])), maxTableColumns)
	for i, r := range rows {
		at := fmt.Sprintf("%s/rows/%d", path, i)
		cells := list(r)
		c.between(at, len(cells), maxTableColumns)
		for j, cell := range cells {
			c.cell(fmt.Sprintf("%s/%d", at, j), cell)
		}
	}
}

func (c *blockCheck) cell(path string, v any) {
	cell, _ := v.(object)
	switch cell["type"] {
	case "raw_text":
		text, _ := cell["text"].(string)
		if text == "" {
			c.wrong(path+"/text", "must be more than 0 characters")
		}
		c.text += utf8.RuneCountInString(text)
	case "rich_text":
	default:
		c.wrong(path+"/type", "unsupported type: %v", cell["type"])
	}
}

// list is v when it is a JSON array, otherwise nothing.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}
