package commands

// Page is an answer that is not a diagnosis, as its parts in order. Switch on
// the type of a part; texts are plain, without marks of any face.
type Page []Part

// Part is one of Heading, Paragraph, Code and List.
type Part interface{ part() }

// Heading begins a section.
type Heading string

// Paragraph is text, perhaps of several lines.
type Paragraph string

// Code is text to paste or that people wrote for machines.
type Code string

// List is a list of names, each with what there is to say of it.
type List []Item

// Item is one line of a List.
type Item struct {
	Name string // shown as code
	By   string // whose deed it is: an account, terminal:NAME, or empty for nobody's
	Text string
	Link string // the address of more; empty for none
}

func (Heading) part()   {}
func (Paragraph) part() {}
func (Code) part()      {}
func (List) part()      {}

// Answer returns the page for a command that needs no diagnosis: Checks,
// Explain, Help or Version. Errors are a *UsageError or an *UnknownCheckError.
func Answer(cmd Command, d Diagnoser, w Words, version string) (Page, error) {
	switch c := cmd.(type) {
	case Checks:
		if c.Code == "" {
			return ChecksPage(d.Checks(), w), nil
		}
		check, err := FindCheck(d, c.Code)
		if err != nil {
			return nil, err
		}
		return CheckPage(check, w), nil
	case Explain:
		check, err := FindCheck(d, c.Code)
		if err != nil {
			return nil, err
		}
		return ExplainPage(check, nil, w), nil
	case Version:
		return Page{Paragraph(version)}, nil
	case Help:
		return HelpPage(c.Command, InChat, w)
	default:
		return HelpPage(nil, InChat, w)
	}
}
