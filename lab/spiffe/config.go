package spiffe

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// maxSocketPath is what a Unix socket address holds on Linux, with its closing zero.
const maxSocketPath = 107

// Duration is a time.Duration that reads and writes as "20s" in JSON.
type Duration time.Duration

// MarshalText writes the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText reads a duration; an empty text is zero, so that an override can be taken back.
func (d *Duration) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("read duration %q: use a form like 20s or 5m", text)
	}
	*d = Duration(parsed)
	return nil
}

// Config says where the server, the agent and the OIDC provider listen, and how long what they issue lives.
type Config struct {
	// TrustDomain is the name without a scheme, like neural-hive.local.
	TrustDomain string `json:"trust_domain"`
	// WorkloadSocket is the path of the agent's Workload API socket.
	WorkloadSocket string `json:"workload_socket"`
	// ServerSocket is the path of the SPIRE server's local socket.
	ServerSocket string `json:"server_socket"`
	// OIDCAddr and AdminAddr are host:port on loopback.
	OIDCAddr  string `json:"oidc_addr"`
	AdminAddr string `json:"admin_addr"`

	JWTTTL  Duration `json:"jwt_ttl,omitempty"`
	X509TTL Duration `json:"x509_ttl,omitempty"`
	// AgentTTL is the life of the agent's own X509-SVID; it renews at half of it.
	AgentTTL Duration `json:"agent_ttl,omitempty"`
	// CATTL is the life of a signing key.
	CATTL Duration `json:"ca_ttl,omitempty"`
	// SyncInterval is how late entries and bundles reach the agent.
	SyncInterval Duration `json:"sync_interval,omitempty"`
	// RotateInterval rotates the JWT signing key by itself; zero never does.
	RotateInterval Duration `json:"rotate_interval,omitempty"`

	// Entries are registered at start. Nil means DefaultEntries for the user that runs the lab.
	Entries []Entry `json:"entries,omitempty"`
}

// Entry is a registration entry as the configuration writes it.
type Entry struct {
	SPIFFEID string `json:"spiffe_id"`
	// ParentID defaults to the cluster's node alias.
	ParentID string `json:"parent_id,omitempty"`
	// Selectors are type:value, like k8s:ns:default.
	Selectors []string `json:"selectors"`
	JWTTTL    Duration `json:"jwt_ttl,omitempty"`
	X509TTL   Duration `json:"x509_ttl,omitempty"`
	Hint      string   `json:"hint,omitempty"`
	DNSNames  []string `json:"dns_names,omitempty"`
}

// DefaultEntries are the three services, by namespace and service account, and the bot, by user.
func DefaultEntries(trustDomain string, uid int) []Entry {
	workload := func(ns, sa string) Entry {
		return Entry{
			SPIFFEID:  fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", trustDomain, ns, sa),
			Selectors: []string{"k8s:ns:" + ns, "k8s:sa:" + sa},
		}
	}
	bot := workload("tandem", "bot")
	bot.Selectors = []string{fmt.Sprintf("unix:uid:%d", uid)}
	return []Entry{
		workload("neural-hive-orchestration", "orchestrator-dynamic"),
		workload("neural-hive-execution", "worker-agents"),
		workload("neural-hive-core", "service-registry"),
		bot,
	}
}

// withDefaults fills what was left out with the lab's short lives.
func (c Config) withDefaults() Config {
	fill := func(d *Duration, fallback time.Duration) {
		if *d == 0 {
			*d = Duration(fallback)
		}
	}
	fill(&c.JWTTTL, time.Minute)
	fill(&c.X509TTL, time.Minute)
	fill(&c.AgentTTL, time.Duration(c.X509TTL))
	fill(&c.CATTL, 30*24*time.Hour)
	fill(&c.SyncInterval, time.Second)
	if c.Entries == nil {
		c.Entries = DefaultEntries(c.TrustDomain, os.Getuid())
	}
	return c
}

// validate joins every error, each with the key that it is about.
func (c Config) validate() error {
	var errs []error
	if _, err := spiffeid.TrustDomainFromString(c.TrustDomain); err != nil {
		errs = append(errs, fmt.Errorf("trust_domain: %w", err))
	}
	errs = append(errs,
		validSocket("workload_socket", c.WorkloadSocket),
		validSocket("server_socket", c.ServerSocket),
		validAddr("oidc_addr", c.OIDCAddr),
		validAddr("admin_addr", c.AdminAddr))
	for key, d := range map[string]Duration{
		"jwt_ttl": c.JWTTTL, "x509_ttl": c.X509TTL, "agent_ttl": c.AgentTTL,
		"ca_ttl": c.CATTL, "sync_interval": c.SyncInterval, "rotate_interval": c.RotateInterval,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s: is negative, use a duration like 20s", key))
		}
	}
	return errors.Join(errs...)
}

func validSocket(key, path string) error {
	switch {
	case path == "":
		return fmt.Errorf("%s: is missing, give the path of a Unix socket", key)
	case len(path) > maxSocketPath:
		return fmt.Errorf("%s: has %d bytes, a Unix socket path holds %d: use a shorter folder", key, len(path), maxSocketPath)
	}
	return nil
}

func validAddr(key, addr string) error {
	if host, _, found := strings.Cut(addr, ":"); !found || host == "" {
		return fmt.Errorf("%s: %q is not host:port", key, addr)
	}
	return nil
}
