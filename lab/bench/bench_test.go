package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"tandem/lab/world"
)

// bench is a world, and the bot as the image has it.
type bench struct {
	dir   string
	bot   string
	world *world.World
}

// BenchmarkLab brings one world up for all figures.
func BenchmarkLab(b *testing.B) {
	lab := up(b)
	b.Run("start", lab.start)
	b.Run("size", lab.size)
	b.Run("asked", lab.asked)
	b.Run("diagnose/loopback", lab.diagnoseOnLoopback)
	b.Run("diagnose/5ms-away", lab.diagnoseOverZones)
	b.Run("diagnose/20ms-away", lab.diagnoseRemotely)
}

func up(b *testing.B) *bench {
	b.Helper()
	dir, err := os.MkdirTemp("", "tandem-bench-") // short: sockets go below it
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	lab := &bench{dir: dir, bot: filepath.Join(dir, "bin", "bot")}
	progress("building the bot as the image has it; the first time takes minutes")
	build(b, lab.bot)
	lab.world, err = world.Start(context.Background(), world.Options{
		Dir: filepath.Join(dir, "lab"), FreePorts: true, NoBot: true, NoKubernetes: true, TTL: world.DefaultTTL,
		Progress: progress,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := lab.world.Close(); err != nil {
			b.Error(err)
		}
	})
	return lab
}

// progress tells at once what goes on: a benchmark's own log comes at its end.
func progress(line string) { fmt.Fprintln(os.Stderr, "lab:", line) }

// build makes the bot as the Dockerfile does.
func build(b *testing.B, output string) {
	b.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", output, "tandem/cmd/bot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build the bot: %v\n%s", err, out)
	}
}
