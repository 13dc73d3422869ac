package config

import (
	"cmp"
	"strings"
)

// setDefaults fills in what the file leaves out.
func (c *Config) setDefaults() {
	c.Language = cmp.Or(c.Language, DefaultLanguage)
	c.Diagnosis.Timeout = cmp.Or(c.Diagnosis.Timeout, DefaultTimeout)
	c.Diagnosis.Since = cmp.Or(c.Diagnosis.Since, DefaultSince)
	c.Diagnosis.Width = cmp.Or(c.Diagnosis.Width, DefaultWidth)
	if c.Slack != nil {
		c.Slack.Command = cmp.Or(c.Slack.Command, DefaultCommand)
		c.Slack.DiagnosesPerMinute = cmp.Or(c.Slack.DiagnosesPerMinute, DefaultPerMinute)
	}
	if c.Traces != nil {
		c.Traces.Sample = cmp.Or(c.Traces.Sample, DefaultSample)
	}
	if c.Vault != nil {
		c.Vault.Identity.setDefaults()
	}
	if p := c.Postgres; p != nil && p.DSN.IsZero() {
		p.Port, p.SSLMode = cmp.Or(p.Port, DefaultPostgresPort), cmp.Or(p.SSLMode, DefaultSSLMode)
	}
	c.Watch.setDefaults()
	if c.Alertmanager != nil {
		c.Alertmanager.setDefaults()
	}
	c.setRates()
	if c.Store != nil {
		c.Store.setDefaults()
	}
	if c.Approvals != nil {
		c.Approvals.setDefaults()
	}
	if c.Remedies != nil {
		c.Remedies.setDefaults()
	}
	for name, s := range c.Services {
		s.setDefaults(name)
	}
}

func (id *Identity) setDefaults() {
	if id.AppRole != nil {
		id.AppRole.Mount = cmp.Or(id.AppRole.Mount, DefaultAppRoleMount)
	}
	if id.JWTSVID != nil {
		id.JWTSVID.Mount = cmp.Or(id.JWTSVID.Mount, DefaultJWTMount)
	}
	if id.Kubernetes != nil {
		id.Kubernetes.Mount = cmp.Or(id.Kubernetes.Mount, DefaultKubeMount)
		id.Kubernetes.TokenFile = cmp.Or(id.Kubernetes.TokenFile, DefaultKubeTokenFile)
	}
}

func (s *Service) setDefaults(name string) {
	s.Job = cmp.Or(s.Job, name)
	s.MetricPrefix = cmp.Or(s.MetricPrefix, strings.ReplaceAll(name, "-", "_"))
	s.Window = cmp.Or(s.Window, DefaultWindow)
	if s.Peer != nil {
		s.Peer.Job = cmp.Or(s.Peer.Job, s.Peer.Name)
	}
}
