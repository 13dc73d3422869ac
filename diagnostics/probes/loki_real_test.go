package probes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/lab/servers"
)

// startLoki builds Loki when nobody has yet, which takes minutes.
func startLoki(t *testing.T) string {
	t.Helper()
	binary, err := servers.Find(t.Context(), servers.Loki, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	dir, address, grpc := t.TempDir(), closedPort(t), closedPort(t)
	config, err := json.Marshal(lokiConfig(dir, address, grpc))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "loki.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "-config.file="+file)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	url := "http://" + address
	await(t, func() error {
		resp, err := http.Get(url + "/ready")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	})
	return url
}

// lokiConfig is one process with files as its store, that takes and gives lines
// at once.
func lokiConfig(dir, address, grpc string) map[string]any {
	port := func(address string) int {
		_, p, _ := net.SplitHostPort(address)
		n, _ := strconv.Atoi(p)
		return n
	}
	return map[string]any{
		"auth_enabled": false,
		"analytics":    map[string]any{"reporting_enabled": false},
		"server": map[string]any{
			"http_listen_address": "127.0.0.1", "http_listen_port": port(address),
			"grpc_listen_address": "127.0.0.1", "grpc_listen_port": port(grpc), "log_level": "error",
		},
		"common": map[string]any{
			"instance_addr": "127.0.0.1", "path_prefix": dir, "replication_factor": 1,
			"ring":    map[string]any{"kvstore": map[string]any{"store": "inmemory"}, "instance_addr": "127.0.0.1"},
			"storage": map[string]any{"filesystem": map[string]any{"chunks_directory": dir + "/chunks", "rules_directory": dir + "/rules"}},
		},
		"schema_config": map[string]any{"configs": []any{map[string]any{
			"from": "2020-10-24", "store": "tsdb", "object_store": "filesystem", "schema": "v13",
			"index": map[string]any{"prefix": "index_", "period": "24h"},
		}}},
		"ingester": map[string]any{"lifecycler": map[string]any{"min_ready_duration": "0s", "join_after": "0s", "final_sleep": "0s"}},
		"limits_config": map[string]any{
			"ingestion_rate_mb": 64, "ingestion_burst_size_mb": 64, "per_stream_rate_limit": "64MB", "per_stream_rate_limit_burst": "64MB",
			"discover_service_name": []string{},
		},
		"frontend_worker": map[string]any{"frontend_address": grpc, "dns_lookup_duration": "200ms"},
		"ruler":           map[string]any{"enable_api": false},
	}
}

// push gives Loki lines of one pod, the oldest first and a millisecond apart.
func push(t *testing.T, url, pod string, first time.Time, lines []string) {
	t.Helper()
	labels := map[string]string{"service": "registry"}
	if pod != "" {
		labels["pod"] = pod
	}
	for start := 0; start < len(lines); start += 10_000 {
		var values [][2]string
		for i, line := range lines[start:min(start+10_000, len(lines))] {
			values = append(values, [2]string{strconv.FormatInt(first.Add(time.Duration(start+i)*time.Millisecond).UnixNano(), 10), line})
		}
		body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": labels, "values": values}}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(url+"/loki/api/v1/push", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Fatalf("push: status %d", resp.StatusCode)
		}
	}
}

const (
	mine   = "spiffe://x/ns/a/sa/worker"
	theirs = "spiffe://x/ns/a/sa/other"
)

// rejections are the events that a search must find among all others, the
// newest last.
func rejections(t *testing.T) []string {
	t.Helper()
	expired := `{"event": "jwt_invalid", "reason": "expired", "spiffe_id": "` + mine + `"}`
	wrapped, err := json.Marshal(map[string]string{"message": expired, "stream": "stdout"})
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		expired,
		string(wrapped),
		`{"event":"jwt_invalid","error_class":"expired"}`,
		`{"event":"jwt_invalid","reason":"audience","spiffe_id":"` + mine + `"}`,
	}
}

// A busy service's log hides no event: not behind lines that only mention it,
// nor behind the same event about others.
func TestRealLokiOfABusyService(t *testing.T) {
	url := startLoki(t)
	first := time.Now().Add(-10 * time.Minute)
	push(t, url, "registry-0", first, rejections(t))
	busy := make([]string, 0, 50_000)
	for i := range 10_000 {
		busy = append(busy,
			`{"event":"request_served","path":"/x","n":`+strconv.Itoa(i)+`}`,
			`{"event":"request_failed","error":"the caller got jwt_invalid"}`,
			`{"event":"jwt_invalid","reason":"expired","spiffe_id":"`+theirs+`"}`,
			`{"event":"jwt_invalid","reason":"unknown_key","spiffe_id":"`+mine+`"}`,
			`jwt_invalid, says a line that is not JSON`,
		)
	}
	push(t, url, "registry-1", first.Add(time.Minute), busy)
	probes := logProbes{source: NewLoki(url, `{service="$service"}`, nil), now: time.Now}
	events := []string{"jwt_invalid"}
	for name, c := range map[string]struct {
		args      EventsArgs
		matched   int64
		truncated bool
	}{
		"caller and reason":  {EventsArgs{Events: events, SPIFFEID: mine, Reason: "expired"}, 3, false},
		"a rare reason":      {EventsArgs{Events: events, Reason: "audience"}, 1, false},
		"absent":             {EventsArgs{Events: []string{"jwt_svid_is_placeholder"}}, 0, false},
		"more than are read": {EventsArgs{Events: events, SPIFFEID: mine}, maxMatches, true},
		"all lines":          {EventsArgs{}, 80, true}, // a fifth is not JSON
	} {
		t.Run(name, func(t *testing.T) {
			c.args.Service, c.args.Since = "registry", 20*time.Minute
			facts, evidence, err := probes.events(soon(t), c.args)
			seenReal(t, facts, evidence, err)
			if facts.Matched != c.matched || facts.Truncated != c.truncated {
				t.Errorf("facts are %+v", facts)
			}
			testPaste(t, evidence)
		})
	}
	volume, evidence, err := probes.volume(soon(t), VolumeArgs{Service: "registry", Since: 20 * time.Minute})
	seenReal(t, volume, evidence, err)
	if volume.Lines != 50_004 || volume.Newest.Before(first.Add(time.Minute)) || volume.Bad == 0 {
		t.Errorf("volume is %+v", volume)
	}
	page, err := probes.source.Search(soon(t), LogQuery{Service: "registry", Since: first.Add(-time.Minute), Until: time.Now(), Limit: 1})
	if err != nil || page.Pods["registry-0"] != 4 || page.Pods["registry-1"] != 50_000 || page.Matches[0].Pod != "registry-1" {
		t.Errorf("page %+v, error %v", page, err)
	}
}

// testPaste runs the command of the evidence.
func testPaste(t *testing.T, evidence []diagnostics.Evidence) {
	t.Helper()
	out, err := exec.CommandContext(soon(t), "sh", "-c", evidence[0].Invocation).Output()
	if err != nil || !strings.HasPrefix(string(out), `{"status":"success"`) {
		t.Errorf("%s gives %.200s, %v", evidence[0].Invocation, out, err)
	}
}

// The tokens of pods that no longer log are not counted, where labels tell.
func TestRealLokiTellsPodsApart(t *testing.T) {
	url := startLoki(t)
	now := time.Now()
	push(t, url, "w-old", now.Add(-time.Hour), []string{login(0, "", "accessor-0").Text})
	push(t, url, "w-new", now.Add(-2*time.Minute), []string{login(0, "", "accessor-1").Text, `{"event":"x"}`})
	v := knownTokens(t, map[string]string{"accessor-1": "read"})
	v.logs, v.now = NewLoki(url, `{service="registry"}`, nil), time.Now
	facts, evidence, err := v.token(soon(t), TokenArgs{Service: "registry"})
	seenReal(t, facts, evidence, err)
	if !facts.Found || facts.Tokens != 1 || facts.Dead != 0 {
		t.Errorf("facts are %+v; evidence %+v", facts, evidence)
	}
}
