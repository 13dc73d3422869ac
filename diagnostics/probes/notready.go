package probes

import "tandem/diagnostics"

func notReady() error {
	return &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: "not written yet"}
}
