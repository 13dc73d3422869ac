// Package remedies has all remedies, one file each.
//
// A remedy looks with the bot's standing identity, which can change nothing, and
// says what it would do as a plan. It carries the plan out under a privilege
// that an Elevator lends it for that one time: a login at Vault to the role of
// that one remedy, given back before Execute returns. What the role may do is
// declared by the remedy itself, so that the policies that an operator applies
// are printed and never written by hand.
//
// It promises: no secret value is in a plan, a result or an error; nothing of a
// service is touched that the configuration does not name; when a call that
// changes something gets no answer, the remedy looks before it says what is so.
package remedies

import (
	"time"

	"tandem/approvals"
	"tandem/i18n"
)

// Deps are what the remedies look with, and where they take their privilege. A
// part that is zero is not configured, and the remedies that need it say so.
type Deps struct {
	Vault      Vault
	Kubernetes Kubernetes
	SPIRE      SPIRE
	EndToEnd   EndToEnd
	Services   []Service // whose things may be touched
	Now        func() time.Time
}

// Service is what the remedies may touch of one service.
type Service struct {
	Name     string
	Secrets  []Secret
	Policies []string  // at Vault, that the service's token must have
	Database *Database // nil: none
	MongoDB  bool      // it reads the URI of a MongoDB
	SPIFFEID string
	Workload *Workload // its Deployment; nil: it is not in the cluster
	Peer     string    // the service that verifies its calls; empty: none
}

// All are the remedies that there are.
func All(d Deps) []approvals.Remedy {
	all := make([]approvals.Remedy, 0, len(vaultRemedies))
	for _, make := range vaultRemedies {
		all = append(all, make(d).Remedy)
	}
	return append(all, beyondVault(d)...)
}

// service finds what may be touched of a service.
func (d Deps) service(name string) (Service, error) {
	for _, s := range d.Services {
		if s.Name == name {
			return s, nil
		}
	}
	return Service{}, refuse(approvals.WhyParameters, "no service is called "+quoted(name))
}

func both(en, pt string) i18n.Text { return i18n.Text{EN: en, PT: pt} }

func refuse(why approvals.Why, detail string) error {
	return &approvals.Refusal{Why: why, Detail: i18n.Text{EN: detail}}
}
