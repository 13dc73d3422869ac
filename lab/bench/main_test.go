package bench

import (
	"os"
	"testing"
)

// TestMain runs the benchmarks or, in a process that they start for it, a bot.
func TestMain(m *testing.M) {
	if job := os.Getenv(botJobVariable); job != "" {
		os.Exit(runBot(job))
	}
	os.Exit(m.Run())
}
