package slack

import "unicode/utf8"

// blockShape is the shape of each kind of block.
func blockShape(kind string) (shape, bool) {
	switch kind {
	case "divider":
		return shape{}, true
	case "header":
		return shape{must("text", plain(150))}, true
	case "section":
		return shape{
			may("text", words(3000)), may("fields", listOf(1, 10, words(2000))), also(textOrFields),
			may("accessory", one(accessoryShape, accessories()...)), may("expand", boolean),
		}, true
	case "context":
		return shape{must("elements", listOf(1, 10, one(contextItem)))}, true
	case "actions":
		return shape{must("elements", listOf(1, 25, one(elementShape, actionElements()...)))}, true
	case "context_actions":
		return shape{must("elements", listOf(1, 5, one(contextActionShape)))}, true
	case "input":
		return inputShape(), true
	case "markdown":
		return shape{must("text", markdown)}, true
	case "image":
		return append(imageShape(), may("title", plain(2000))), true
	case "file":
		return shape{must("external_id", str(1, maxID)), must("source", enum("remote"))}, true
	case "rich_text":
		return richTextShape(), true
	case "table":
		return tableShape(), true
	case "data_visualization":
		return chartBlockShape(), true
	}
	return nil, false
}

// textOrFields says that a section has something to say.
func textOrFields(c *blockCheck, path string, v any) {
	if o := v.(object); o["text"] == nil && o["fields"] == nil {
		c.wrong(path, "missing required field: text")
	}
}

func contextItem(kind string) (shape, bool) {
	if kind == "image" {
		return imageShape(), true
	}
	return textShape(kind, 3000)
}

func inputShape() shape {
	return shape{
		must("label", plain(2000)), must("element", one(elementShape, inputElements()...)), may("hint", plain(2000)),
		may("optional", boolean), may("dispatch_action", boolean),
	}
}

func imageShape() shape {
	slackFile := shape{may("id", str(1, maxID)), may("url", webAddress(3000)), either("id", "url")}
	return shape{
		may("image_url", webAddress(3000)), may("slack_file", anObject(slackFile)), either("image_url", "slack_file"),
		must("alt_text", str(1, 2000)),
	}
}

func markdown(c *blockCheck, path string, v any) {
	text, _ := v.(string)
	c.markdownText += utf8.RuneCountInString(text)
	said(1, maxRequest)(c, path, v)
}
