package diagnostics

import "tandem/i18n"

// The languages, and texts in each of them, as every package knows them.
type (
	Lang = i18n.Lang
	Text = i18n.Text
)

// Both is a text in every language, for those that code makes: neither can be
// left out.
func Both(en, pt string) Text { return Text{EN: en, PT: pt} }

// The languages in which every text exists.
const (
	English    = i18n.English
	Portuguese = i18n.Portuguese
)
