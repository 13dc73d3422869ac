package commands

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tandem/diagnostics"
)

// chatGrammar is what can be asked in chat. Aliases are the words that readers
// of Portuguese may use instead.
type chatGrammar struct {
	Diagnose Diagnose  `cmd:"" aliases:"diagnosticar"`
	Explain  Explain   `cmd:"" aliases:"explicar"`
	Checks   Checks    `cmd:"" aliases:"verificações,verificacoes"`
	Logs     Logs      `cmd:""`
	Trace    Trace     `cmd:"" aliases:"rastrear"`
	Metrics  Metrics   `cmd:"" aliases:"métricas,metricas"`
	Runs     ListRuns  `cmd:"" aliases:"execuções,execucoes"`
	Diff     Diff      `cmd:"" aliases:"comparar"`
	Fix      Fix       `cmd:"" aliases:"corrigir"`
	Run      Procedure `cmd:"" name:"run" aliases:"executar" about:"run_procedure"`
	Requests Requests  `cmd:"" aliases:"pedidos"`
	Approve  Approve   `cmd:"" aliases:"aprovar"`
	Deny     Deny      `cmd:"" aliases:"negar"`
	Cancel   Cancel    `cmd:"" aliases:"cancelar"`
	Audit    Audit     `cmd:"" aliases:"auditoria"`
	Freeze   Freeze    `cmd:"" aliases:"congelar"`
	Unfreeze Unfreeze  `cmd:"" aliases:"descongelar"`

	Watch      Watch      `cmd:"" aliases:"vigiar" more:""`
	Unwatch    Unwatch    `cmd:"" aliases:"desvigiar"`
	Watches    Watches    `cmd:"" aliases:"vigias"`
	Suppress   Suppress   `cmd:"" aliases:"silenciar" more:""`
	Unsuppress Unsuppress `cmd:"" aliases:"dessilenciar"`

	Help Help `cmd:"" aliases:"ajuda"`

	WhoAmI  WhoAmI  `cmd:"" name:"whoami" aliases:"quemsou"`
	Version Version `cmd:"" aliases:"versão,versao"`
}

// terminalGrammar is what can be asked in a terminal.
type terminalGrammar struct {
	Settings

	Diagnose TerminalDiagnose `cmd:""`
	Explain  Explain          `cmd:""`
	Checks   Checks           `cmd:""`
	Logs     TerminalLogs     `cmd:""`
	Trace    TerminalTrace    `cmd:""`
	Metrics  TerminalMetrics  `cmd:""`
	Runs     TerminalListRuns `cmd:""`
	Diff     TerminalDiff     `cmd:""`
	Export   Export           `cmd:"" more:""`
	Run      Run              `cmd:""`
	Catalog  struct {
		Lint LintCatalog `cmd:""`
		Test TestCatalog `cmd:"" more:""`
		Docs CatalogDocs `cmd:""`
	} `cmd:""`
	Config_ struct {
		Check CheckConfig `cmd:""`
	} `cmd:"" name:"config"`
	Policy struct {
		Vault      VaultPolicy      `cmd:""`
		Kubernetes KubernetesPolicy `cmd:""`
	} `cmd:""`
	Requests Requests `cmd:""`
	Audit    struct {
		Show        Audit            `cmd:""`
		Verify      AuditVerify      `cmd:""`
		Export      AuditExport      `cmd:"" more:""`
		Acknowledge AuditAcknowledge `cmd:""`
	} `cmd:""`
	Freeze     Freeze     `cmd:""`
	Unfreeze   Unfreeze   `cmd:""`
	Watch      Watch      `cmd:"" aliases:"vigiar" more:""`
	Unwatch    Unwatch    `cmd:"" aliases:"desvigiar"`
	Watches    Watches    `cmd:"" aliases:"vigias"`
	Suppress   Suppress   `cmd:"" aliases:"silenciar" more:""`
	Unsuppress Unsuppress `cmd:"" aliases:"dessilenciar"`
	Manifest   Manifest   `cmd:""`
	Completion Completion `cmd:""`
	Help       Help       `cmd:""`
	Version    Version    `cmd:""`
}

// ParseTerminal reads the arguments of the program, without its name. Errors
// are *UsageError.
func ParseTerminal(args []string) (Command, Settings, error) {
	var g terminalGrammar
	if len(args) == 0 {
		return Help{}, g.Settings, nil
	}
	cmd, err := parse(&g, args)
	if err == nil && g.Lang != "" {
		err = checkLang(&g.Settings)
	}
	if err != nil {
		return nil, g.Settings, err
	}
	return cmd, g.Settings, nil
}

func checkLang(s *Settings) error {
	lang, ok := LangOf(string(s.Lang))
	if !ok {
		known := []string{string(diagnostics.English), string(diagnostics.Portuguese)}
		return &UsageError{Kind: BadChoice, Flag: "--lang", Word: string(s.Lang), Choices: known}
	}
	s.Lang = lang
	return nil
}

// parse reads words by a grammar, which is a pointer to a struct.
func parse(grammar any, words []string) (Command, error) {
	app, err := newApp(grammar)
	if err != nil {
		return nil, err
	}
	if slices.Contains(words, "--help") || slices.Contains(words, "-h") {
		return Help{Command: commandWords(app.Model.Node, words)}, nil
	}
	ctx, err := app.Parse(words)
	if err != nil {
		return nil, explain(app.Model.Node, words, err)
	}
	cmd, err := normal(ctx.Selected().Target)
	if usage, ok := errors.AsType[*UsageError](err); ok { // of words that the command reads itself
		usage.Path, usage.Words = commandWords(app.Model.Node, words[:1]), words
		return nil, usage
	}
	return cmd, err
}

func newApp(grammar any) (*kong.Kong, error) {
	return kong.New(grammar,
		kong.Name("bot"),
		kong.NoDefaultHelp(), // help is a command, in the reader's language
		kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(int) {}),
	)
}

// normal returns the command that a grammar's field holds, with codes in upper
// case.
func normal(selected reflect.Value) (Command, error) {
	switch c := selected.Interface().(type) {
	case Diagnose:
		upper(c.Check)
		return c, nil
	case TerminalDiagnose:
		upper(c.Check)
		return c, nil
	case Checks:
		c.Code = strings.ToUpper(c.Code)
		return c, nil
	case Explain:
		c.Code = strings.ToUpper(c.Code)
		return c, nil
	case Fix:
		c.What = normalWhat(c.What)
		return c, nil
	case Procedure:
		c.Name = normalWhat(c.Name)
		return c, nil
	case Requests:
		c.Which = normalWhich(c.Which)
		return c, nil
	case Watch:
		return c.normal()
	case Unwatch:
		return c.normal()
	case Suppress:
		return c.normal()
	case Unsuppress:
		c.Code = strings.ToUpper(c.Code)
		return c, nil
	case Command:
		return c, nil
	default:
		return nil, errors.New("the grammar has a command of no type")
	}
}

func upper(codes []string) {
	for i := range codes {
		codes[i] = strings.ToUpper(strings.TrimSpace(codes[i]))
	}
}

// commandWords returns the words that name a command at the start of a line.
func commandWords(node *kong.Node, words []string) []string {
	var path []string
	for _, w := range words {
		child := childNamed(node, w)
		if child == nil {
			continue
		}
		node, path = child, append(path, child.Name)
	}
	return path
}

// childNamed finds a command by its name or an alias.
func childNamed(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return c
		}
	}
	return nil
}

// nearestChild is the name or alias of a command that was likely meant.
func nearestChild(node *kong.Node, word string) string {
	names := childNames(node)
	for _, c := range node.Children {
		names = append(names, c.Aliases...)
	}
	return Nearest(word, names)
}

func childNames(node *kong.Node) []string {
	var names []string
	for _, c := range node.Children {
		names = append(names, c.Name)
	}
	return names
}
