// Package i18n has texts in every language that people read here.
package i18n

// Lang is a language that people read.
type Lang string

// The languages in which every text exists.
const (
	English    Lang = "en"
	Portuguese Lang = "pt-BR"
)

// Text is a text in every language.
type Text struct {
	EN string `json:"en" yaml:"en"`
	PT string `json:"pt-BR" yaml:"pt-BR"`
}

// In returns the text in a language; English for one that it does not know.
func (t Text) In(lang Lang) string {
	if lang == Portuguese {
		return t.PT
	}
	return t.EN
}
