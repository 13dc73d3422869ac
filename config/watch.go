package config

import (
	"cmp"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Defaults of watches, where the file says nothing. The bounds on requests are far
// above what one diagnosis asks in a second.
const (
	DefaultParallel  = 2
	DefaultRate      = 50
	DefaultAlertPath = "/alertmanager"
	// DefaultAlerts are the names of the alerts of deploy/prometheus.
	DefaultAlerts = "^(Vault|Spiffe|Spire|Grpc)"
)

// Watching bounds the runs that nobody waits for.
type Watching struct {
	// Parallel is how many services are looked at at once; 2 unless set.
	Parallel int `yaml:"parallel" check:"parallel"`
}

// Alertmanager is where Alertmanager sends alerts to, which open a thread with a
// diagnosis.
type Alertmanager struct {
	// Listen is the address that Alertmanager reaches, like 127.0.0.1:9465.
	Listen string `yaml:"listen" check:"required,listen"`
	// Path of the webhook; /alertmanager unless set.
	Path string `yaml:"path" check:"urlpath"`
	// BearerToken has to come with each request.
	BearerToken Ref `yaml:"bearer_token" check:"required"`
	// Channel that is told, by id; the bot has to be a member.
	Channel string `yaml:"channel" check:"required,slackid=C G"`
	// ServiceLabels are the labels that name a service, the first that does counts;
	// service, then job unless set.
	ServiceLabels []string `yaml:"service_labels" check:"filled,plain"`
	// Services say which service an alert is about, by the alert's name, whatever its
	// labels say.
	Services map[AlertName]string `yaml:"services"`
	// Alerts are regular expressions, one of which the name of an alert has to match;
	// those of deploy/prometheus unless set.
	Alerts []string `yaml:"alerts" check:"filled,regexp"`
}

// AlertName is the label alertname of an alert.
type AlertName string

var alertName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_:-]*$`)

var urlPath = regexp.MustCompile(`^/[A-Za-z0-9._~/-]*$`)

func (w *Watching) setDefaults() { w.Parallel = cmp.Or(w.Parallel, DefaultParallel) }

func (a *Alertmanager) setDefaults() {
	a.Path = cmp.Or(a.Path, DefaultAlertPath)
	if a.ServiceLabels == nil {
		a.ServiceLabels = []string{"service", "job"}
	}
	if a.Alerts == nil {
		a.Alerts = []string{DefaultAlerts}
	}
}

// setRates bounds the requests of each system that is asked.
func (c *Config) setRates() {
	if c.Vault != nil {
		c.Vault.RequestsPerSecond = cmp.Or(c.Vault.RequestsPerSecond, DefaultRate)
	}
	if c.Prometheus != nil {
		c.Prometheus.RequestsPerSecond = cmp.Or(c.Prometheus.RequestsPerSecond, DefaultRate)
	}
	if c.Logs != nil && c.Logs.Loki != nil {
		c.Logs.Loki.RequestsPerSecond = cmp.Or(c.Logs.Loki.RequestsPerSecond, DefaultRate)
	}
}

// validateAlertmanager holds that alerts find a database, people and services.
func validateAlertmanager(c *Config, root *yaml.Node, found *findings) {
	a := c.Alertmanager
	if a == nil {
		return
	}
	if c.Store == nil {
		found.add(at(root, "alertmanager"), "alertmanager", "needs a database: set store.sqlite or store.postgres")
	}
	if c.Slack == nil {
		found.add(at(root, "alertmanager"), "alertmanager", "needs people to tell: set slack")
	}
	for name, service := range a.Services {
		if c.Services[service] == nil {
			found.add(at(root, "alertmanager", "services", string(name)), "alertmanager.services."+string(name), "no such service: expected one of services")
		}
	}
}

func judgeRate(x float64) string {
	if !(x >= 1 && x <= 10_000) {
		return "expected a number from 1 to " + strconv.Itoa(10_000)
	}
	return ""
}
