package slack

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// defaultPage is how many items a list answers when the caller does not say.
const defaultPage = 100

// pageOf cuts the page that the arguments limit and cursor ask for, and returns the cursor of the next one.
func pageOf[T any](items []T, a args) ([]T, string, error) {
	start, err := readCursor(a.str("cursor"))
	if err != nil || start > len(items) {
		return nil, "", refuse("invalid_cursor")
	}
	limit := a.number("limit", defaultPage)
	if limit < 0 || limit > 1000 {
		return nil, "", refuse("invalid_limit")
	}
	if limit == 0 {
		limit = defaultPage
	}
	end := min(start+limit, len(items))
	next := ""
	if end < len(items) {
		next = base64.StdEncoding.EncodeToString([]byte("offset:" + strconv.Itoa(end)))
	}
	return items[start:end], next, nil
}

func readCursor(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	raw, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(string(raw), "offset:"), 10, 31)
	return int(n), err
}

func nextCursor(next string) map[string]any { return map[string]any{"next_cursor": next} }
