package slack

// richTextShape is the block rich_text, which is also a cell of a table and the value of an input.
func richTextShape() shape {
	return shape{may("block_id", str(0, maxID)), must("elements", listOf(0, maxRequest, one(richTextPart)))}
}

// richTextPart is one paragraph, list, quote or piece of code.
func richTextPart(kind string) (shape, bool) {
	inline := must("elements", listOf(0, maxRequest, one(richTextInline)))
	border := may("border", integer(0, 1))
	switch kind {
	case "rich_text_section":
		return shape{inline}, true
	case "rich_text_quote":
		return shape{inline, border}, true
	case "rich_text_preformatted":
		return shape{
			must("elements", listOf(0, maxRequest, one(richTextInline, "text", "link"))), border, may("language", str(0, maxID)),
		}, true
	case "rich_text_list":
		return shape{
			must("elements", listOf(0, maxRequest, one(richTextPart, "rich_text_section"))),
			must("style", enum("bullet", "ordered")), may("indent", integer(0, 8)), may("offset", integer(0, 1_000_000)), border,
		}, true
	}
	return nil, false
}

// richTextInline is one run of text, a link, a mention, an emoji, a date.
func richTextInline(kind string) (shape, bool) {
	text, id := said(1, maxRequest), str(1, maxID)
	s, known := map[string]shape{
		"text":      {must("text", text)},
		"link":      {must("url", webAddress(3000)), may("text", said(0, maxRequest)), may("unsafe", boolean)},
		"user":      {must("user_id", id)},
		"usergroup": {must("usergroup_id", id)},
		"channel":   {must("channel_id", id)},
		"team":      {must("team_id", id)},
		"broadcast": {must("range", enum("here", "channel", "everyone"))},
		"color":     {must("value", text)},
		"emoji":     {must("name", id), may("unicode", id), may("url", webAddress(3000)), may("skin_tone", integer(1, 6))},
		"date": {
			must("timestamp", integer(0, 1<<40)), must("format", text), may("url", webAddress(3000)), may("fallback", text),
		},
	}[kind]
	if !known {
		return nil, false
	}
	return append(s, may("style", anObject(richTextStyle()))), true
}

func richTextStyle() shape {
	var s shape
	for _, name := range []string{"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"} {
		s = append(s, may(name, boolean))
	}
	return s
}
