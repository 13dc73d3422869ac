package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	idleTime = 5 * time.Second
	mebibyte = 1 << 20
)

// start takes the time from the process's start until the bot hears Slack's
// hello, from when on it is handed commands, and the memory that it holds after
// some seconds without any. The goals are 0.5 s and 60 MB.
func (l *bench) start(b *testing.B) {
	for b.Loop() {
		var ready, nothing []time.Duration
		for range rounds {
			nothing = append(nothing, l.version(b))
			bot := l.run(b)
			ready = append(ready, bot.ready)
			bot.stop(b)
		}
		bot := l.run(b)
		time.Sleep(idleTime)
		idle, peak := bot.memory(b)
		bot.stop(b)
		b.ReportMetric(median(ready).Seconds(), "s-to-ready")
		b.ReportMetric(ratio(ready, nothing), "x-version")
		b.ReportMetric(idle, "idle-MB")
		b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
		b.Logf("start to ready %s, %.1f times a process that prints its version (%s); goal under 500 ms",
			figures(ready), ratio(ready, nothing), figures(nothing))
		b.Logf("memory after %s idle %.1f MB, peak %.1f MB; goal under 60 MB", idleTime, idle, peak)
	}
}

// size is that of the program as the image has it. The goal is 80 MB.
func (l *bench) size(b *testing.B) {
	for b.Loop() {
		info, err := os.Stat(l.bot)
		if err != nil {
			b.Fatal(err)
		}
		size := float64(info.Size()) / mebibyte
		b.ReportMetric(size, "MB")
		b.ReportMetric(0, "ns/op") // nothing is timed
		b.Logf("static binary %.1f MB; goal under 80 MB", size)
	}
}

// version is the life of a process that does next to nothing.
func (l *bench) version(b *testing.B) time.Duration {
	b.Helper()
	start := time.Now()
	if err := exec.Command(l.bot, "version").Run(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// running is a bot that hears Slack.
type running struct {
	cmd   *exec.Cmd
	log   *bufio.Reader
	ready time.Duration
}

// run starts the bot and returns when it is ready.
func (l *bench) run(b *testing.B) *running {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), l.bot, "run", "--config", l.world.State().Bot.ConfigFile)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	r := &running{cmd: cmd, log: bufio.NewReader(stderr)}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	var log strings.Builder
	for {
		line, err := r.log.ReadString('\n')
		log.WriteString(line)
		if strings.Contains(line, `"connected to slack"`) {
			r.ready = time.Since(start)
			return r
		}
		if err != nil {
			b.Fatalf("the bot ended: %v\n%s", cmd.Wait(), log.String())
		}
	}
}

func (r *running) stop(b *testing.B) {
	b.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	rest, _ := io.ReadAll(r.log) // to the end, so that it is not held up writing
	if err := r.cmd.Wait(); err != nil {
		b.Fatalf("stop the bot: %v\n%s", err, rest)
	}
}

// memory is what the process holds now, and the most that it has held, in MB.
func (r *running) memory(b *testing.B) (now, peak float64) {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	value := func(name string) float64 {
		_, after, _ := strings.Cut(string(status), name+":")
		var kB float64
		if _, err := fmt.Sscan(after, &kB); err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		return kB / 1024
	}
	return value("VmRSS"), value("VmHWM")
}
