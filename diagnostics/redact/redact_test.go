package redact_test

import (
	"strings"
	"testing"

	"tandem/diagnostics/redact"
)

// canary is the part of each example that must not be seen afterwards.
const canary = "C4n4ryV4lueThatNobodyMaySee"

func TestStringTakesSecretsOut(t *testing.T) {
	for name, text := range map[string]string{
		"jwt":                    "got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0." + canary,
		"jwt cut":                "got eyJhbGciOiJFUzI1NiJ9." + canary,
		"jwt glued to a word":    "authorization_header:eyJhbGciOiJFUzI1NiJ9." + canary + ".sig",
		"vault service token":    "token hvs." + canary + " is dead",
		"vault batch token":      "hvb." + canary,
		"vault recovery token":   "hvr." + canary,
		"old vault token":        "use s." + canary + " now",
		"old namespaced token":   "use s." + canary + ".root0 now",
		"slack bot token":        "xoxb-12345678-" + canary,
		"slack app token":        "xapp-1-A123-" + canary,
		"uri":                    "dial mongodb://app:" + canary + "@db:27017/x?authSource=admin",
		"uri with @ in password": "mongodb://app:p@ss" + canary + "@db:27017",
		"uri with / in password": "mongodb://app:p/ss" + canary + "@db:27017",
		"uri user alone":         "https://" + canary + "@example.org",
		"dsn":                    "host=db user=x password=" + canary + " dbname=y",
		"dsn quoted":             "password='" + canary + " with words'",
		"json":                   `{"password": "` + canary + `", "x": 1}`,
		"json in json":           `{"message":"{\"password\":\"` + canary + `\",\"x\":1}"}`,
		"json with quote":        `{"password":"a\"` + canary + `"}`,
		"yaml":                   "client_secret: " + canary,
		"prefixed key":           "MONGODB_PASSWORD=" + canary,
		"header":                 "Authorization: Bearer " + canary,
		"header basic":           "authorization: Basic " + canary + "==",
		"vault header":           "X-Vault-Token: " + canary,
		"bearer alone":           "sent bearer " + canary,
		"private key":            "-----BEGIN EC PRIVATE KEY-----\n" + canary + "\n-----END EC PRIVATE KEY-----",
		"private key cut":        "-----BEGIN PRIVATE KEY-----\n" + canary,
		"query":                  "GET /x?token=" + canary + "&a=b",
	} {
		t.Run(name, func(t *testing.T) {
			got := redact.String(text)
			if strings.Contains(got, canary) {
				t.Errorf("String(%q) = %q still holds the secret", text, got)
			}
			if !strings.Contains(got, redact.Mark) {
				t.Errorf("String(%q) = %q does not say that it took something out", text, got)
			}
		})
	}
}

func TestStringKeepsPlainText(t *testing.T) {
	for _, text := range []string{
		"",
		"permission denied",
		"password authentication failed for user \"v-jwt-temporal-abc-1700000000\"",
		"jwtsvid: token has expired",
		"no JWT authority \"kid\" found for trust domain \"neural-hive.local\"",
		"spiffe://neural-hive.local/ns/neural-hive-execution/sa/worker-agents",
		"token_accessor=abc123",
		"read secret/metadata/orchestrator/mongodb",
		"dial tcp 127.0.0.1:8200: connect: connection refused",
		`sum(rate(vault_token_renewals_total{status="error"}[5m]))`,
		"vault kv metadata get -mount=secret orchestrator/mongodb",
	} {
		if got := redact.String(text); got != text {
			t.Errorf("String(%q) = %q, want it unchanged", text, got)
		}
	}
}

func FuzzString(f *testing.F) {
	f.Add("", "")
	f.Add("mongodb://a:b@c/", "eyJhbGciOiJFUzI1NiJ9.x.y")
	f.Add(`{"password":"`, `"}`)
	f.Add("-----BEGIN PRIVATE KEY-----", "token=a=b token: token=")
	f.Fuzz(func(t *testing.T, before, after string) {
		once := redact.String(before + after)
		if twice := redact.String(once); twice != once {
			t.Errorf("String is not stable: %q, then %q", once, twice)
		}
		// Whitespace ends every context that could explain a token away.
		got := redact.String(before + " hvs." + canary + " " + after)
		if strings.Contains(got, canary) {
			t.Errorf("the token is still in %q", got)
		}
	})
}

// A log search redacts thousands of texts, nearly all of them plain.
func BenchmarkString(b *testing.B) {
	for name, text := range map[string]string{
		"plain":  strings.Repeat("dial tcp 127.0.0.1:8200: connect: connection refused. ", 8),
		"secret": strings.Repeat("x ", 200) + "password=" + canary,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				redact.String(text)
			}
		})
	}
}
