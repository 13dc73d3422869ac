package e2e

// The bot under test is built by the tests themselves, of which the cache of test
// results knows nothing. Importing what it consists of has them run again when
// any of it changed.
import (
	_ "tandem/approvals/remedies"
	_ "tandem/commands/slack"
	_ "tandem/config"
	_ "tandem/diagnostics/bundle"
	_ "tandem/diagnostics/catalog"
	_ "tandem/diagnostics/probes"
	_ "tandem/diagnostics/throttle"
	_ "tandem/store"
	_ "tandem/watches/alertmanager"
)
