package slack

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// object is one JSON object of a block, an event or a payload.
type object = map[string]any

// What all blocks of a message may hold together.
const (
	maxAllBlockText = 12_000 // characters of everything
	maxMarkdown     = 12_000 // characters of the markdown blocks
	maxTables       = 1
	maxCharts       = 2
	maxID           = 255
)

const (
	pointerFormat     = "[ERROR] %s [json-pointer:%s]"
	tooManyCharacters = "must be less than %d characters"
)

// parseBlocks reads and checks the blocks of a message or a view. The blocks it returns have ids, as Slack gives to those
// without.
func parseBlocks(raw json.RawMessage, on surface) ([]object, error) {
	c := newBlockCheck(on, on.root())
	blocks, err := c.parse(raw)
	if err != nil {
		return nil, err
	}
	if len(c.problems) > 0 {
		return nil, &apiError{code: on.refusal(), messages: c.problems}
	}
	if on == onMessage && (c.text > maxAllBlockText || c.markdownText > maxMarkdown) {
		return nil, refuse("msg_blocks_too_long")
	}
	for _, b := range blocks {
		giveIDs(b)
	}
	return blocks, nil
}

func giveIDs(block object) {
	ensureID(block, "block_id")
	for _, v := range append(list(block["elements"]), block["accessory"], block["element"]) {
		if element, ok := v.(object); ok && interactive(element) {
			ensureID(element, "action_id")
		}
	}
}

func ensureID(o object, key string) {
	if id, _ := o[key].(string); id == "" {
		o[key] = rand.Text()[:5]
	}
}

// interactive reports whether people act on the element, so that it needs an action_id.
func interactive(element object) bool {
	kind, _ := element["type"].(string)
	_, known := elementShape(kind)
	_, small := contextActionShape(kind)
	return known || small
}

// blockCheck collects what is wrong with the blocks of one message or view, each problem with its JSON pointer.
type blockCheck struct {
	on           surface
	root         string
	problems     []string
	text         int // characters of all blocks
	markdownText int
	tables       int
	charts       int
	focused      int // elements that want the focus
	blockIDs     map[string]bool
	actionIDs    map[string]bool
}

func newBlockCheck(on surface, root string) *blockCheck {
	return &blockCheck{on: on, root: root, blockIDs: map[string]bool{}, actionIDs: map[string]bool{}}
}

// parse reads the blocks and collects what is wrong with them. Its error is for what are no blocks at all.
func (c *blockCheck) parse(raw json.RawMessage) ([]object, error) {
	var blocks []object
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&blocks); err != nil {
		return nil, refuse("invalid_blocks_format")
	}
	c.atMost(c.root, len(blocks), c.on.maxBlocks())
	for i, b := range blocks {
		c.block(c.root+"/"+strconv.Itoa(i), b)
	}
	return blocks, nil
}

func (c *blockCheck) wrong(path, format string, a ...any) {
	c.problems = append(c.problems, fmt.Sprintf(pointerFormat, fmt.Sprintf(format, a...), path))
}

func (c *blockCheck) block(path string, b object) {
	kind, _ := b["type"].(string)
	s, known := blockShape(kind)
	switch {
	case kind == "":
		c.wrong(path, "missing required field: type")
	case !known || !slices.Contains(c.on.kinds(), kind):
		c.wrong(path+"/type", "unsupported type: %s", kind)
	default:
		c.unique(path+"/block_id", b["block_id"], c.blockIDs)
		c.shaped(path, b, append(s, may("block_id", anything)))
	}
}

// list is v when it is a JSON array, otherwise nothing.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}
