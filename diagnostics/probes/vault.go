package probes

import (
	"time"

	"tandem/diagnostics"
)

// vaultProbes ask Vault as the bot.
type vaultProbes struct {
	Vault
	logs   LogSource
	grants func() []diagnostics.Grant
	now    func() time.Time
}

func notReady() error {
	return &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: "not written yet"}
}
