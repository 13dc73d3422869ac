package commands

import "strings"

// ChatHint says in one line what can follow the slash command, as the grammar
// has it, like "diagnose SERVICE | checks [CODE]".
func ChatHint() (string, error) {
	app, err := newApp(InChat.grammar())
	if err != nil {
		return "", err
	}
	var hints []string
	for _, leaf := range leaves(app.Model.Node) {
		hint := commandPath(leaf)
		for _, p := range leaf.Positional {
			name := strings.ToUpper(p.Name)
			if !p.Required {
				name = "[" + name + "]"
			}
			hint += " " + name
		}
		hints = append(hints, hint)
	}
	return strings.Join(hints, " | "), nil
}
