package main

import (
	"cmp"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// dsnKeys returns what a connection string says itself, by libpq's keywords
// (dbname, sslmode), as pgx would read it without an environment. It is for
// strings that pgx takes; of others it may return anything.
func dsnKeys(dsn string) map[string]string {
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if rest, isURL := strings.CutPrefix(dsn, scheme); isURL {
			return urlKeys(rest)
		}
	}
	return wordKeys(dsn)
}

// urlKeys reads what follows the scheme. It is not net/url's form: a URL of
// PostgreSQL can have several hosts.
func urlKeys(rest string) map[string]string {
	said := map[string]string{}
	say := func(key, value string) {
		if value = plainText(value); value != "" {
			said[key] = value
		}
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		user, password, _ := strings.Cut(rest[:i], ":")
		say("user", user)
		say("password", password)
		rest = rest[i+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, name, _ := strings.Cut(rest, "/")
	say("dbname", name)
	say("host", hosts)
	if i := strings.LastIndexByte(hosts, ':'); i > strings.LastIndexByte(hosts, ']') {
		say("port", hosts[i+1:])
	}
	readQuery(query, said)
	return said
}

// readQuery reads the parameters. The last one of a name counts, and ssl=true
// is sslmode=require.
func readQuery(query string, said map[string]string) {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, value = keyword(plainText(key)), plainText(value)
		if key == "ssl" && value == "true" {
			key, value = "sslmode", "require"
		}
		if key != "" {
			said[key] = value
		}
	}
}

// word matches one key = value, whose value can be quoted.
var word = regexp.MustCompile(`(?s)([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))`)

var escaped = regexp.MustCompile(`(?s)\\(.)`)

// wordKeys reads the form key=value key='value'.
func wordKeys(dsn string) map[string]string {
	said := map[string]string{}
	for _, m := range word.FindAllStringSubmatch(dsn, -1) {
		said[keyword(m[1])] = escaped.ReplaceAllString(cmp.Or(m[2], m[3]), "$1")
	}
	return said
}

func keyword(key string) string {
	if key == "database" { // pgx's own word
		return "dbname"
	}
	return key
}

// plainText undoes the escapes of a URL. A plus is a plus.
func plainText(text string) string {
	plain, err := url.PathUnescape(strings.Trim(text, " "))
	if err != nil {
		return text
	}
	return plain
}

// variables are those that pgx v5.12.0 obeys, with the keyword that overrides
// each. PGAPPNAME is not among them: the bot always says its own name.
func variables() map[string]string {
	return map[string]string{
		"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "user",
		"PGPASSWORD": "password", "PGPASSFILE": "password", "PGCONNECT_TIMEOUT": "connect_timeout",
		"PGSSLMODE": "sslmode", "PGSSLKEY": "sslkey", "PGSSLCERT": "sslcert", "PGSSLCERTMODE": "sslcertmode",
		"PGSSLSNI": "sslsni", "PGSSLROOTCERT": "sslrootcert", "PGSSLPASSWORD": "sslpassword",
		"PGSSLNEGOTIATION": "sslnegotiation", "PGTARGETSESSIONATTRS": "target_session_attrs",
		"PGSERVICE": "service", "PGSERVICEFILE": "servicefile", "PGTZ": "timezone", "PGOPTIONS": "options",
		"PGMINPROTOCOLVERSION": "min_protocol_version", "PGMAXPROTOCOLVERSION": "max_protocol_version",
		"PGCHANNELBINDING": "channel_binding", "PGREQUIREAUTH": "require_auth",
	}
}

// foreignVariables names what in the environment would say something
// of a connection which the configuration does not say, or "". pgx cannot be
// told to leave them out.
func foreignVariables(said map[string]string) string {
	var foreign []string
	for name, key := range variables() {
		value, set := os.LookupEnv(name)
		_, overridden := said[key]
		if !overridden && (value != "" || set && name == "PGSSLCERTMODE") { // pgx refuses that one when empty
			foreign = append(foreign, name)
		}
	}
	slices.Sort(foreign)
	return strings.Join(foreign, ", ")
}
