package commands

import (
	"strings"

	"github.com/alecthomas/kong"

	"tandem/diagnostics"
)

// Face is where a command was given.
type Face int

// The faces.
const (
	InChat Face = iota
	InTerminal
)

func (f Face) grammar() any {
	if f == InTerminal {
		return &terminalGrammar{}
	}
	return &chatGrammar{}
}

// HelpPage says how to ask: everything, or one command when its words are
// given. The grammar itself is what it reads. Errors are *UsageError.
func HelpPage(path []string, face Face, w Words) (Page, error) {
	app, err := newApp(face.grammar())
	if err != nil {
		return nil, err
	}
	node := app.Model.Node
	for i, word := range path {
		child := childNamed(node, strings.ToLower(word))
		if child == nil {
			return nil, &UsageError{Kind: UnknownCommand, Path: path[:i], Word: word, Choices: childNames(node), Nearest: nearestChild(node, word)}
		}
		node = child
	}
	if node.Type == kong.ApplicationNode {
		return overview(node, w), nil
	}
	return commandHelp(node, w), nil
}

// overview lists every command with its usage.
func overview(root *kong.Node, w Words) Page {
	page := Page{Paragraph(w.Say("help_intro"))}
	var list List
	for _, leaf := range leaves(root) {
		list = append(list, Item{Name: usage(leaf, w), Text: about(leaf, w)})
	}
	page = append(page, Heading(w.Say("help_commands")), list)
	if flags := flagList(root.Flags, w); len(flags) > 0 {
		page = append(page, Heading(w.Say("help_flags")), flags)
	}
	return append(page, Paragraph(w.Say("help_more")))
}

func commandHelp(node *kong.Node, w Words) Page {
	if len(node.Children) > 0 {
		var list List
		for _, leaf := range leaves(node) {
			list = append(list, Item{Name: usage(leaf, w), Text: about(leaf, w)})
		}
		return Page{list}
	}
	page := Page{Code(usage(node, w)), Paragraph(about(node, w))}
	if node.Tag != nil && node.Tag.Has("more") {
		page = append(page, Paragraph(w.Say(moreID(node))))
	}
	var flags []*kong.Flag
	for _, group := range node.AllFlags(false) {
		flags = append(flags, group...)
	}
	if list := flagList(flags, w); len(list) > 0 {
		page = append(page, Heading(w.Say("help_flags")), list)
	}
	return page
}

// about says what a command does and, to readers of Portuguese, which word of
// theirs stands for it.
func about(node *kong.Node, w Words) string {
	text := w.Say(aboutID(node))
	if w.Lang != diagnostics.Portuguese || len(node.Aliases) == 0 {
		return text
	}
	return text + " " + w.Say("help_alias", "Word", node.Aliases[0])
}

// leaves are the commands that can be given, below a node.
func leaves(node *kong.Node) []*kong.Node {
	if len(node.Children) == 0 {
		return []*kong.Node{node}
	}
	var all []*kong.Node
	for _, c := range node.Children {
		all = append(all, leaves(c)...)
	}
	return all
}

// usage is the shape of a command, like `/vault diagnose SERVICE [--since 30m]`.
func usage(node *kong.Node, w Words) string {
	words := []string{w.Prog, commandPath(node)}
	for _, p := range node.Positional {
		name := w.Say(argID(p.Name))
		if !p.Required {
			name = "[" + name + "]"
		}
		words = append(words, name)
	}
	for _, f := range node.Flags {
		words = append(words, "["+flagUsage(f, w)+"]")
	}
	return strings.Join(words, " ")
}

func flagUsage(f *kong.Flag, w Words) string {
	use := "--" + f.Name
	switch {
	case f.IsBool():
	case isArg(f):
		use += " " + w.Say(argID(f.PlaceHolder))
	default: // an example, like 30m
		use += " " + f.PlaceHolder
	}
	if f.IsSlice() && f.Tag.Sep != -1 { // otherwise it is given again for each
		use += ",…"
	}
	return use
}

func flagList(flags []*kong.Flag, w Words) List {
	var list List
	for _, f := range flags {
		name := flagUsage(f, w)
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", " + name
		}
		list = append(list, Item{Name: name, Text: w.Say(flagID(f))})
	}
	return list
}

// commandPath is the words of a command, like "catalog lint".
func commandPath(node *kong.Node) string {
	if node.Parent == nil || node.Parent.Type == kong.ApplicationNode {
		return node.Name
	}
	return commandPath(node.Parent) + " " + node.Name
}

// aboutID and flagID name the texts of a command and of a flag; a test holds
// that each exists.
func aboutID(node *kong.Node) string {
	if node.Tag != nil && node.Tag.Has("about") { // two commands of the same words
		return "about_" + node.Tag.Get("about")
	}
	return "about_" + strings.ReplaceAll(commandPath(node), " ", "_")
}

// moreID names what the help of one command says beyond the list of all.
func moreID(node *kong.Node) string {
	return "more_" + strings.ReplaceAll(commandPath(node), " ", "_")
}

func flagID(f *kong.Flag) string { return "flag_" + f.Name }

// argID names what stands in the place of a word that the reader chooses, like
// SERVICE.
func argID(name string) string { return "arg_" + strings.ReplaceAll(strings.ToLower(name), "-", "_") }

// isArg says whether a flag's placeholder is such a word, not an example.
func isArg(f *kong.Flag) bool { return f.PlaceHolder == strings.ToUpper(f.PlaceHolder) }
