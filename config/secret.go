package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// redacted is all that a Secret ever shows.
const redacted = "[redacted]"

// Secret is a value that cannot be said: every way to print, marshal or log it
// gives [redacted].
type Secret struct{ value string }

// NewSecret keeps a value.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value, for the one call that needs it.
func (s Secret) Reveal() string { return s.value }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalYAML implements yaml.Marshaler.
func (Secret) MarshalYAML() (any, error) { return redacted, nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Ref names where a secret is: in a file or in an environment variable. It is
// read when it is used, so that a rotated secret is taken up.
type Ref struct {
	// File that holds nothing else than the secret.
	File Path `yaml:"file" json:"file,omitempty"`
	// Env is the name of an environment variable.
	Env string `yaml:"env" json:"env,omitempty"`

	path string // where in the configuration, for errors
}

// IsZero says whether there is no reference.
func (r Ref) IsZero() bool { return r.File == "" && r.Env == "" }

// maxSecret is the largest file that is read as a secret.
const maxSecret = 64 << 10

// Read reads the secret. The error names the place in the configuration and
// what to do, and never what was read.
func (r Ref) Read() (Secret, error) {
	switch {
	case r.File != "":
		return r.readFile()
	case r.Env != "":
		value, ok := os.LookupEnv(r.Env)
		if !ok || value == "" {
			return Secret{}, fmt.Errorf("%s: environment variable %s is not set: set it or use {file: PATH}", r.path, r.Env)
		}
		return Secret{value: value}, nil
	default:
		return Secret{}, fmt.Errorf("%s: not configured: set it to {file: PATH} or {env: NAME}", r.path)
	}
}

func (r Ref) readFile() (Secret, error) {
	f, err := os.Open(string(r.File))
	if err != nil {
		return Secret{}, fmt.Errorf("%s: read the secret: %w", r.path, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return Secret{}, fmt.Errorf("%s: read the secret: %w", r.path, err)
	}
	value := strings.TrimSpace(string(data))
	if value == "" || len(data) > maxSecret {
		return Secret{}, fmt.Errorf("%s: file %s: expected the secret and nothing else, found %d bytes", r.path, r.File, len(data))
	}
	return Secret{value: value}, nil
}

// FileRef is a reference to a file, for places that are configured by a path
// alone. Where is its place in the configuration.
func FileRef(file Path, where string) Ref { return Ref{File: file, path: where} }
