package slack

const (
	maxTableRows    = 100
	maxTableColumns = 20
	maxTableText    = 10_000 // characters of all cells
)

func tableShape() shape {
	settings := shape{may("align", enum("left", "center", "right")), may("is_wrapped", boolean)}
	column := func(c *blockCheck, path string, v any) {
		if v != nil { // null leaves a column as it is
			c.shaped(path, v, settings)
		}
	}
	row := listOf(1, maxTableColumns, one(tableCell))
	return shape{
		also(oneTable), must("rows", fewWords(listOf(1, maxTableRows, row))), may("column_settings", listOf(0, maxTableColumns, column)),
	}
}

func oneTable(c *blockCheck, path string, _ any) {
	c.tables++
	if c.tables > maxTables {
		c.wrong(path, "only_one_table_allowed")
	}
}

// fewWords bounds what the cells of a table say together.
func fewWords(rows rule) rule {
	return func(c *blockCheck, path string, v any) {
		before := c.text
		rows(c, path, v)
		if c.text-before > maxTableText {
			c.wrong(path, tooManyCharacters, maxTableText+1)
		}
	}
}

func tableCell(kind string) (shape, bool) {
	switch kind {
	case "raw_text":
		return shape{must("text", said(1, maxRequest))}, true
	case "raw_number":
		return shape{must("value", number), must("text", said(1, maxRequest))}, true
	case "rich_text":
		return richTextShape(), true
	}
	return nil, false
}
