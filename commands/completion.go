package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tandem/diagnostics"
)

// completions are the words that may follow: after a command's words, and after
// a flag that takes a value.
type completions struct {
	after  map[string][]string // key: the command's words, like "catalog lint"
	values map[string][]string // key: the flag, like --output
}

// CompletionScript returns the script that makes a shell complete the commands,
// with the names of services and the codes of checks that are known now.
func CompletionScript(shell Shell, services, codes []string) (string, error) {
	app, err := newApp(&terminalGrammar{})
	if err != nil {
		return "", err
	}
	c := completions{after: map[string][]string{}, values: map[string][]string{
		"--check":  codes,
		"--output": {string(FormatText), string(FormatJSON), string(FormatYAML)},
		"--lang":   {string(diagnostics.English), string(diagnostics.Portuguese)},
	}}
	c.collect(app.Model.Node, "")
	c.add("diagnose", services...)
	c.add("logs", services...)
	c.add("metrics", services...)
	c.add("runs", services...)
	c.add("diff", services...)
	c.add("metrics", groupNames()...)
	c.add("checks", codes...)
	c.add("explain", codes...)
	c.add("requests", PendingRequests)
	c.add("freeze", services...)
	c.add("unfreeze", services...)
	c.add("completion", string(Bash), string(Zsh), string(Fish))
	c.add("help", childNames(app.Model.Node)...)
	switch shell {
	case Fish:
		return c.fish(), nil
	case Zsh:
		return "#compdef bot\nautoload -U +X bashcompinit && bashcompinit\n" + c.bash(), nil
	default:
		return c.bash(), nil
	}
}

func (c completions) add(command string, words ...string) {
	c.after[command] = append(slices.Clone(words), c.after[command]...)
}

// collect takes the commands and flags of the grammar.
func (c completions) collect(node *kong.Node, path string) {
	words := childNames(node)
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			words = append(words, "--"+f.Name)
		}
	}
	c.after[path] = words
	for _, child := range node.Children {
		c.collect(child, strings.TrimSpace(path+" "+child.Name))
	}
}

const bashHead = `# Completion of bot. To load it: source <(bot completion bash)
_bot() {
  local cur prev path i word
  cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=
  COMPREPLY=()
  case $prev in
`

const bashMiddle = `    --config|-c) compopt -o default; return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      -*) ;;
      *) case "${path:+$path }$word" in
`

const bashFoot = `}
complete -F _bot bot`

func (c completions) bash() string {
	var b strings.Builder
	b.WriteString(bashHead)
	for _, flag := range slices.Sorted(maps.Keys(c.values)) {
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;;\n", flag, quoted(c.values[flag]))
	}
	b.WriteString(bashMiddle)
	paths := slices.Sorted(maps.Keys(c.after))
	for _, path := range paths {
		if path != "" {
			fmt.Fprintf(&b, "        '%s') path='%s' ;;\n", path, path)
		}
	}
	b.WriteString("      esac ;;\n    esac\n  done\n  case $path in\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "    '%s') COMPREPLY=($(compgen -W %s -- \"$cur\")) ;;\n", path, quoted(c.after[path]))
	}
	b.WriteString("  esac\n" + bashFoot)
	return b.String()
}

// quoted is a list of words as one word of a shell.
func quoted(words []string) string { return "'" + strings.Join(words, " ") + "'" }

func (c completions) fish() string {
	var b strings.Builder
	b.WriteString("# Completion of bot. To load it: bot completion fish | source\ncomplete -c bot -f\n")
	for _, path := range slices.Sorted(maps.Keys(c.after)) {
		when := "__fish_use_subcommand"
		if path != "" {
			when = "__fish_seen_subcommand_from " + path[strings.LastIndex(path, " ")+1:]
		}
		var plain []string
		for _, w := range c.after[path] {
			if flag, isFlag := strings.CutPrefix(w, "--"); isFlag {
				fmt.Fprintf(&b, "complete -c bot -n '%s' -l %s%s\n", when, flag, c.fishValues(w))
				continue
			}
			plain = append(plain, w)
		}
		if len(plain) > 0 {
			fmt.Fprintf(&b, "complete -c bot -n '%s' -a %s\n", when, quoted(plain))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func (c completions) fishValues(flag string) string {
	if flag == "--config" {
		return " -r -F"
	}
	return " -x -a " + quoted(c.values[flag])
}
