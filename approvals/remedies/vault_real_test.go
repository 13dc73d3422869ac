package remedies

import "testing"

// TestRealVault tries every remedy on a Vault and a PostgreSQL of the true make.
func TestRealVault(t *testing.T) {
	b := startBench(t)
	t.Run("kv-undelete", b.testUndelete)
	t.Run("kv-rollback", b.testRollback)
	t.Run("kv-write", b.testWrite)
	t.Run("token-renew", b.testRenew)
	t.Run("policy-fix", b.testPolicy)
	b.connectDatabase(t)
	t.Run("database-role-write", b.testRoleWrite)
	t.Run("lease-revoke", b.testRevoke)
}
