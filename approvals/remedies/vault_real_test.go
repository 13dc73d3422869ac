package remedies

import "testing"

// TestRealVault tries every remedy on a Vault of the true make.
func TestRealVault(t *testing.T) {
	b := startBench(t)
	t.Run("kv-undelete", b.testUndelete)
}
