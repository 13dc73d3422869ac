package commands

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"

	"tandem/diagnostics"
)

//go:embed locales
var locales embed.FS

// Vocabulary holds every text that people read, in every language. It is safe
// for use by several goroutines.
type Vocabulary struct {
	bundle *i18n.Bundle
}

// NewVocabulary reads the texts of this package and those that a face brings:
// folders `locales` with files active.en.yaml and active.pt-BR.yaml.
func NewVocabulary(more ...fs.FS) (*Vocabulary, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	for _, fsys := range append([]fs.FS{locales}, more...) {
		files, err := fs.Glob(fsys, "locales/active.*.yaml")
		if err != nil {
			return nil, fmt.Errorf("list texts: %w", err)
		}
		for _, name := range files {
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return nil, fmt.Errorf("read texts: %w", err)
			}
			if _, err := bundle.ParseMessageFileBytes(data, path.Base(name)); err != nil {
				return nil, fmt.Errorf("read texts of %s: %w", name, err)
			}
		}
	}
	return &Vocabulary{bundle: bundle}, nil
}

// Words returns the texts in one language. Prog is how its reader calls the
// bot, like "/vault" or "bot": texts use it in the next steps that they name.
func (v *Vocabulary) Words(lang diagnostics.Lang, prog string) Words {
	return Words{Lang: lang, Prog: prog, localizer: i18n.NewLocalizer(v.bundle, string(lang))}
}

// Words are the texts in one language. Make them with Vocabulary.Words.
type Words struct {
	Lang diagnostics.Lang
	Prog string

	localizer *i18n.Localizer
}

// Say returns a text. Pairs fill its blanks: name, value, name, value. The
// blank Prog is always there. A text that does not exist shows as its id, which
// a test prevents.
func (w Words) Say(id string, pairs ...any) string {
	return w.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: w.blanks(pairs)})
}

// Count returns a text about n things, which fill its blank N.
func (w Words) Count(id string, n int, pairs ...any) string {
	data := w.blanks(append(pairs, "N", n))
	return w.localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: n, TemplateData: data})
}

func (w Words) blanks(pairs []any) map[string]any {
	data := map[string]any{"Prog": w.Prog}
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return data
}

func (w Words) localize(c *i18n.LocalizeConfig) string {
	text, err := w.localizer.Localize(c)
	if err != nil {
		return "[" + c.MessageID + "]"
	}
	return strings.TrimSpace(text)
}

// LangOf returns the language for a locale like pt-PT, pt_BR.UTF-8 or en-GB,
// and whether the bot speaks it.
func LangOf(locale string) (diagnostics.Lang, bool) {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	switch base {
	case "pt":
		return diagnostics.Portuguese, true
	case "en":
		return diagnostics.English, true
	default:
		return diagnostics.English, false
	}
}
