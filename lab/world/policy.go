package world

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// diagnosePolicy is all that the bot may do as it stands. Its text is what the
// bot prints.
const diagnosePolicy = "tandem-diagnose"

//go:embed policies/*.hcl
var policyFiles embed.FS

// Policy returns the text of the Vault policy of one of the services.
func Policy(name string) (string, error) {
	text, err := policyFiles.ReadFile(path.Join("policies", name+".hcl"))
	if err != nil {
		return "", fmt.Errorf("no policy is called %q: there are %s", name, strings.Join(Policies(), ", "))
	}
	return string(text), nil
}

// Policies lists the names of the services' Vault policies.
func Policies() []string {
	entries, err := policyFiles.ReadDir("policies")
	if err != nil {
		panic("the embedded policies are gone: " + err.Error())
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".hcl"))
	}
	return names
}
