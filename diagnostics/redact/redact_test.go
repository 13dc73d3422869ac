package redact_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

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
		"uri with quote":         `parse "mongodb://orch:pa'ss` + canary + `%zz@host:27017": invalid URL escape "%zz"`,
		"uri with <":             "mongodb://u:p<" + canary + "@h/db",
		"uri with blank":         "mongodb://u:pa " + canary + "@h",
		"uri with %":             "mongodb://u:100%" + canary + "%@h",
		"uri with escaped quote": `"dsn postgres://u:a\"` + canary + `@h" is wrong`,
		"uri with port":          "mongodb://u:27017 " + canary + "@h",
		"uri, wrong port":        `parse "mongodb://u:p/ss@h": invalid port ":` + canary + `" after host`,
		"uri, wrong escape":      `parse "x": invalid URL escape "%` + canary + `"`,
		"uri user alone":         "https://" + canary + "@example.org",
		"dsn":                    "host=db user=x password=" + canary + " dbname=y",
		"dsn quoted":             "password='" + canary + " with words'",
		"dsn with quote":         "password=ab'cd " + canary,
		"dsn with marks":         "host=h password=ab,cd;ef}gh)&]" + canary + " dbname=y",
		"dsn with double quote":  `password=ab"cd ` + canary,
		"dsn with escaped quote": `password='it\'s ` + canary + `'`,
		"dsn with doubled quote": `password='it''s ` + canary + `'`,
		"dsn quoted, then more":  `password='a'` + canary,
		"sql":                    `ALTER ROLE x WITH PASSWORD 'it''s ` + canary + `'`,
		"json list":              `{"password":["` + canary + `"],"x":1}`,
		"json object":            `{"secret": {"value": "` + canary + `"}, "x": 1}`,
		"json compact":           `{"x":1,"password":"a,b;` + canary + `","y":2}`,
		"json doubled backslash": `{"password":"a\\\"` + canary + `"}`,
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

// What stands around a secret is what people look for.
func TestStringKeepsWhatIsAround(t *testing.T) {
	for text, want := range map[string]string{
		`{"x":1,"password":"a,b","y":2}`:                       `{"x":1,"password":[redacted],"y":2}`,
		`{"password":"","y":"z"}`:                              `{"password":[redacted],"y":"z"}`,
		"dial mongodb://u:p@db:27017/x failed":                 "dial mongodb://[redacted]@db:27017/x failed",
		`Get "https://h/x?token=abc": context deadline`:        `Get "https://h/x?token=[redacted]": context deadline`,
		"host=h password=abc dbname=y: no such host":           "host=h password=[redacted] dbname=y: no such host",
		"http://vault:8200/v1: refused\nmongodb://u:p@h":       "http://vault:8200/v1: refused\nmongodb://[redacted]@h",
		`parse "mongodb://u:p@h:x": invalid port ":x" after h`: `parse "mongodb://[redacted]@h:x": invalid port [redacted] after h`,
	} {
		if got := redact.String(text); got != want {
			t.Errorf("String(%q) = %q, want %q", text, got, want)
		}
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

// A password can be made of anything.
func FuzzPassword(f *testing.F) {
	f.Add("", "")
	f.Add("pa'ss%zz", "@")
	f.Add(`a"b<c `, "://")
	f.Add("[redacted]", "password='")
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.Contains(before+after, "\n") {
			return // passwords have one line
		}
		uri := `parse "mongodb://orch:` + before + canary + after + `@host:27017": invalid`
		if got := redact.String(uri); strings.Contains(got, canary) {
			t.Errorf("the password is still in %q, made of %q", got, uri)
		}
		if strings.ContainsFunc(before, unicode.IsSpace) || strings.HasPrefix(before, "[redacted]") || strings.ContainsAny(before[:min(1, len(before))], `"'\`) {
			return // a word of its own before the rest
		}
		dsn := "host=db password=" + before + canary + after + " dbname=x"
		if got := redact.String(dsn); strings.Contains(got, canary) {
			t.Errorf("the password is still in %q, made of %q", got, dsn)
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

func TestCountedSaysWhatWasTakenOut(t *testing.T) {
	counts := map[redact.Kind]int{redact.Token: 1}
	text := "mongodb://u:p@h and mongodb://[redacted]@h\npassword=abc\nhvs.CAESIJlU0123456789 and hvs.CAESIJlU9876543210\n-----BEGIN PRIVATE KEY-----\nabc"
	if got := redact.Counted(text, counts); got != redact.String(text) {
		t.Errorf("Counted(%q) = %q", text, got)
	}
	want := map[redact.Kind]int{redact.Already: 1, redact.Address: 1, redact.Password: 1, redact.Token: 3, redact.PrivateKey: 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
	clean := map[redact.Kind]int{}
	if redact.Counted("permission denied", clean); len(clean) > 0 {
		t.Errorf("in a plain text it counts %v", clean)
	}
}
