package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
)

const (
	service     = "worker"
	zoneWay     = 5 * time.Millisecond  // to servers in other zones, each way
	remoteWay   = 20 * time.Millisecond // to servers far from who asks, as by a VPN
	healthyWait = 2 * time.Minute       // of a lab that has just come up
)

// diagnoseOnLoopback compares a diagnosis with a person where every server is
// on this machine and shares its cores: time goes into work, which two cores
// can at best halve, and hardly into waiting.
func (l *bench) diagnoseOnLoopback(b *testing.B) {
	state := l.world.State()
	l.compare(b, "servers on loopback", state.Bot.ConfigFile, content(b, state.Bot.ReadOnlyDSNFile))
}

// diagnoseOverZones is the same with every server that is asked by TCP some
// milliseconds away. The sockets of SPIRE stay as near as they are in life.
func (l *bench) diagnoseOverZones(b *testing.B) { l.diagnoseFrom(b, zoneWay) }

// diagnoseRemotely is the same from farther away.
func (l *bench) diagnoseRemotely(b *testing.B) { l.diagnoseFrom(b, remoteWay) }

func (l *bench) diagnoseFrom(b *testing.B, way time.Duration) {
	config, dsn := l.farther(b, way)
	l.compare(b, fmt.Sprintf("servers %s away", way), config, dsn)
}

// farther puts a proxy before each server and returns a configuration and a
// DSN that go by them.
func (l *bench) farther(b *testing.B, way time.Duration) (config, dsn string) {
	b.Helper()
	state := l.world.State()
	var pairs []string
	for _, address := range []string{state.Vault.URL, state.Prometheus.URL, state.Loki.URL, state.SPIFFE.OIDCURL, state.Postgres.Addr} {
		near := strings.TrimPrefix(address, "http://")
		p, err := listen(near, way)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(p.close)
		pairs = append(pairs, near, p.addr())
	}
	dsnFile := filepath.Join(l.dir, "dsn-"+way.String())
	replace := strings.NewReplacer(append(pairs, state.Bot.ReadOnlyDSNFile, dsnFile)...)
	dsn = replace.Replace(content(b, state.Bot.ReadOnlyDSNFile))
	config = filepath.Join(l.dir, "tandem-"+way.String()+".yaml")
	for file, text := range map[string]string{dsnFile: dsn, config: replace.Replace(content(b, state.Bot.ConfigFile))} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return config, dsn
}

// compare lets the bot and a person ask in turn, so that both see the same
// machine, and reports the medians' ratio. The goal is at least 4.
func (l *bench) compare(b *testing.B, where, config, dsn string) {
	p := newPerson(content(b, l.world.State().Bot.VaultTokenFile), dsn)
	l.awaitHealthy(b, config)
	for b.Loop() {
		var bot, process, byHand []time.Duration
		var asked []string
		for range rounds {
			view, whole := l.diagnose(b, config)
			asked = questions(view)
			bot, process = append(bot, time.Duration(view.TookMS)*time.Millisecond), append(process, whole)
			byHand = append(byHand, askAll(b, p, asked))
		}
		b.ReportMetric(ratio(byHand, bot), "x-by-hand")
		b.ReportMetric(ratio(byHand, process), "x-by-hand-with-start")
		b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
		b.Logf("%s: %d questions by hand %s, diagnosis %s, %.2f times as fast; with process start %s, %.2f times; goal at least 4",
			where, len(asked), figures(byHand), figures(bot), ratio(byHand, bot), figures(process), ratio(byHand, process))
	}
}

// diagnose runs the bot and returns its report and the life of its process.
func (l *bench) diagnose(b *testing.B, config string) (diagnostics.View, time.Duration) {
	b.Helper()
	return l.diagnoseService(b, config, service)
}

func (l *bench) diagnoseService(b *testing.B, config, service string) (diagnostics.View, time.Duration) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, l.bot, "diagnose", service, "--output", "json", "--config", config)
	cmd.Stderr = &stderr
	start := time.Now()
	out, err := cmd.Output()
	whole := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	var view diagnostics.View
	if err := json.Unmarshal(out, &view); err != nil {
		b.Fatalf("no report: %v\n%s", err, stderr.String())
	}
	return view, whole
}

// awaitHealthy returns when every check passes, and so every question is asked.
func (l *bench) awaitHealthy(b *testing.B, config string) {
	b.Helper()
	deadline := time.Now().Add(healthyWait)
	for {
		view, _ := l.diagnose(b, config)
		if view.Verdict.Status == diagnostics.Pass {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("the lab is not healthy: %s", view.Verdict.Headline)
		}
	}
}

// questions are the distinct ones that a diagnosis asked.
func questions(view diagnostics.View) []string {
	var list []string
	seen := map[string]bool{}
	for _, check := range view.Checks {
		for _, e := range check.Evidence {
			if !seen[e.Invocation] {
				seen[e.Invocation] = true
				list = append(list, e.Invocation)
			}
		}
	}
	return list
}

// askAll asks one after another.
func askAll(b *testing.B, p *person, asked []string) time.Duration {
	b.Helper()
	start := time.Now()
	for _, invocation := range asked {
		if err := p.ask(b.Context(), invocation); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

func content(b *testing.B, file string) string {
	b.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}
