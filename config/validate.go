package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// validate judges what no single field can.
func validate(c *Config, root *yaml.Node, found *findings) {
	if c.Language != "" && c.Language != "en" && c.Language != "pt-BR" {
		found.add(at(root, "language"), "language", "expected en or pt-BR")
	}
	validateVault(c, root, found)
	validateLogs(c, root, found)
	validatePostgres(c, root, found)
	if c.Slack != nil && c.Slack.Command != "" && (!strings.HasPrefix(c.Slack.Command, "/") || strings.ContainsAny(c.Slack.Command, " \t\n")) {
		found.add(at(root, "slack", "command"), "slack.command", "expected a slash and one word, like /vault")
	}
	validateNames(c, root, found)
	validateTransport(c, root, found)
	validateStore(c, root, found)
	validateAlertmanager(c, root, found)
	validateApprovals(c, root, found)
	validateRemedies(c, root, found)
}

func validateVault(c *Config, root *yaml.Node, found *findings) {
	if c.Vault == nil {
		return
	}
	id := c.Vault.Identity
	ways := count(id.TokenFile != "", id.AppRole != nil, id.JWTSVID != nil, id.Kubernetes != nil)
	if ways != 1 {
		found.add(at(root, "vault", "identity"), "vault.identity",
			"expected exactly one of token_file, approle, jwt_svid and kubernetes, found %d", ways)
	}
	if id.JWTSVID != nil && (c.SPIFFE == nil || c.SPIFFE.WorkloadAPISocket == "") {
		found.add(at(root, "vault", "identity", "jwt_svid"), "vault.identity.jwt_svid",
			"needs the Workload API: set spiffe.workload_api_socket")
	}
}

func validateLogs(c *Config, root *yaml.Node, found *findings) {
	if c.Logs == nil {
		return
	}
	if ways := count(c.Logs.Loki != nil, c.Logs.Files != nil, c.Logs.Kubernetes != nil); ways != 1 {
		found.add(at(root, "logs"), "logs", "expected exactly one of loki, files and kubernetes, found %d", ways)
	}
	if c.Logs.Kubernetes != nil && c.Kubernetes == nil {
		found.add(at(root, "logs", "kubernetes"), "logs.kubernetes", "needs the cluster: set kubernetes, {} in one of its pods")
	}
	if c.Logs.Loki != nil && !strings.Contains(c.Logs.Loki.Selector, "$service") && c.Logs.Loki.Selector != "" {
		found.add(at(root, "logs", "loki", "selector"), "logs.loki.selector",
			`expected the place of the service's name, like {service="$service"}`)
	}
}

func validatePostgres(c *Config, root *yaml.Node, found *findings) {
	p := c.Postgres
	if p == nil {
		return
	}
	fields := count(p.Host != "", p.User != "", p.DBName != "")
	switch {
	case p.DSN.IsZero() && fields < 3:
		found.add(at(root, "postgres"), "postgres", "expected either dsn, or host, user and dbname")
	case !p.DSN.IsZero() && count(fields > 0, p.Port != 0, !p.Password.IsZero(), p.SSLMode != "") > 0:
		found.add(at(root, "postgres"), "postgres", "expected either dsn alone, or the single fields without it")
	}
}

// validateTransport holds that Slack can reach the bot.
func validateTransport(c *Config, root *yaml.Node, found *findings) {
	if c.Slack != nil && c.Slack.AppToken.IsZero() && c.Slack.HTTP == nil {
		found.add(at(root, "slack"), "slack", "expected app_token for Socket Mode, or http for requests over HTTP, or both")
	}
}

// validateNames holds that what is said of a service is said of one that exists.
func validateNames(c *Config, root *yaml.Node, found *findings) {
	known := func(name string, path ...string) {
		if c.Services[name] == nil {
			found.add(at(root, append(path, name)...), strings.Join(append(path, name), "."), "no such service: expected one of services")
		}
	}
	if c.Logs != nil {
		for name := range c.Logs.Files {
			known(name, "logs", "files")
		}
	}
	if c.MongoDB != nil {
		for name := range c.MongoDB.URIs {
			known(name, "mongodb", "uris")
		}
	}
	if c.Slack != nil {
		validateSlackNames(c, root, found)
	}
}

// validateSlackNames holds that rules and channels are about services that
// exist.
func validateSlackNames(c *Config, root *yaml.Node, found *findings) {
	for id, name := range c.Slack.Channels {
		if c.Services[name] == nil {
			found.add(at(root, "slack", "channels", string(id)), "slack.channels."+string(id), "no such service: expected one of services")
		}
	}
	list := at(root, "slack", "access")
	for i, rule := range c.Slack.Access {
		for j, name := range rule.Services {
			if c.Services[name] == nil {
				path := fmt.Sprintf("slack.access[%d].services[%d]", i, j)
				found.add(item(at(item(list, i), "services"), j), path, "no such service: expected one of services")
			}
		}
	}
}

// item returns the nth node of a list, or the list.
func item(list *yaml.Node, n int) *yaml.Node {
	if list.Kind == yaml.AliasNode {
		list = list.Alias
	}
	if list.Kind != yaml.SequenceNode || n >= len(list.Content) {
		return list
	}
	return list.Content[n]
}

func count(conditions ...bool) int {
	n := 0
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// at returns the node at a path, or the nearest one above it.
func at(node *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		next := child(node, key)
		if next == nil {
			return node
		}
		node = next
	}
	return node
}

func child(node *yaml.Node, key string) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
