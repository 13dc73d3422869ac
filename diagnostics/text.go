package diagnostics

import "tandem/i18n"

// The languages, and texts in each of them, as every package knows them.
type (
	Lang = i18n.Lang
	Text = i18n.Text
)

// The languages in which every text exists.
const (
	English    = i18n.English
	Portuguese = i18n.Portuguese
)
