package commands

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBashCompletes loads the script into a real bash and asks it.
func TestBashCompletes(t *testing.T) {
	script, err := CompletionScript(Bash, []string{"orchestrator", "worker"}, []string{"VLT-001", "KVS-001"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bot.bash")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"bot dia":                               "diagnose",
		"bot diagnose w":                        "worker",
		"bot diagnose worker --o":               "--output",
		"bot diagnose worker --output ":         "text json yaml",
		"bot diagnose worker --check V":         "VLT-001",
		"bot catalog ":                          "lint test docs --config --lang",
		"bot completion z":                      "zsh",
		"bot --lang p":                          "pt-BR",
		"bot diagnose --since 3m orch":          "orchestrator",
		"bot checks K":                          "KVS-001",
		"bot diagnose worker --output json --s": "--since",
	} {
		words := strings.Split(line, " ")
		ask := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _bot; echo "${COMPREPLY[*]}"`
		out, err := exec.CommandContext(t.Context(), "bash", append([]string{"-c", ask, "bash", file}, words...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%q completes to %q, want %q", line, got, want)
		}
	}
}

func TestOtherShellsGetTheSameWords(t *testing.T) {
	for shell, want := range map[Shell][]string{
		Zsh:  {"#compdef bot", "bashcompinit", "worker"},
		Fish: {"complete -c bot -f", "-n '__fish_seen_subcommand_from diagnose' -a 'worker'", "-l output -x -a 'text json yaml'"},
	} {
		script, err := CompletionScript(shell, []string{"worker"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(script, w) {
				t.Errorf("the script for %s lacks %q:\n%s", shell, w, script)
			}
		}
	}
}
