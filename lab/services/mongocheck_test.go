package services

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tandem/lab/services/mongodb"
)

// startMongo runs the lab's MongoDB and returns its address and that of its faults.
func startMongo(t *testing.T) (addr, admin string) {
	t.Helper()
	addr, admin = freeAddr(t), freeAddr(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- mongodb.Run(ctx, mongodb.Config{Addr: addr, AdminAddr: admin, Users: []mongodb.User{{Name: "app", Password: "canary-mongo-password"}}})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	until(t, "mongodb is ready", func() bool { return put(t, "http://"+admin+"/admin/faults", `{}`) == nil })
	return addr, admin
}

func put(t *testing.T, url, body string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("PUT %s %s = %d", url, body, resp.StatusCode)
	}
	return nil
}

func TestMongoCheckTellsItsFaultsApart(t *testing.T) {
	addr, admin := startMongo(t)
	const password = "canary-mongo-password"
	tests := []struct {
		name, uri string
		state     secretState
		fault     string
		reason    string
	}{
		{name: "healthy", uri: "mongodb://app:" + password + "@" + addr + "/?authSource=admin"},
		{name: "secret missing", state: secretState{reason: "secret_missing"}, reason: "secret_missing"},
		{name: "password not encoded", uri: "mongodb://app:" + password + "/@" + addr + "/", reason: "invalid_uri"},
		{name: "no scheme", uri: addr, reason: "invalid_uri"},
		{name: "wrong password", uri: "mongodb://app:other@" + addr + "/", reason: "authentication_failed"},
		{name: "wrong authSource", uri: "mongodb://app:" + password + "@" + addr + "/?authSource=app", reason: "authentication_failed"},
		{name: "port refuses", uri: "mongodb://app:" + password + "@" + addr + "/", fault: `{"down":"refused"}`, reason: "server_selection_timeout"},
		{name: "server hangs", uri: "mongodb://app:" + password + "@" + addr + "/", fault: `{"down":"hang"}`, reason: "server_selection_timeout"},
		{name: "stepped down", uri: "mongodb://app:" + password + "@" + addr + "/", fault: `{"not_primary":true}`, reason: "server_selection_timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.fault != "" {
				if err := put(t, "http://"+admin+"/admin/faults", tt.fault); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = put(t, "http://"+admin+"/admin/faults", `{"down":"","not_primary":false}`) }()
			}
			if strings.Contains(tt.fault, "refused") {
				until(t, "the port is closed", func() bool {
					conn, err := net.Dial("tcp", addr)
					if err == nil {
						_ = conn.Close()
					}
					return err != nil
				})
			}
			log := &recorder{}
			c := &mongoCheck{
				secret:  func(context.Context, string, string, string) (string, secretState) { return tt.uri, tt.state },
				metrics: newMetrics(Orchestrator), log: log.logger(),
				cfg: Config{Name: Orchestrator, TTL: Duration(5 * time.Second)}.withDefaults(),
			}
			c.check(t.Context())
			if tt.reason == "" {
				log.last(t, "mongodb_connected")
			} else if got := log.last(t, "mongodb_connection_failed")["reason"]; got != tt.reason {
				t.Errorf("reason %v, want %s", got, tt.reason)
			}
			if strings.Contains(log.text(), "canary") || strings.Contains(log.text(), "mongodb://") {
				t.Errorf("the URI is in the log: %s", log.text())
			}
			fetched := testutil.ToFloat64(c.metrics.credentialsFetched.WithLabelValues(kindMongo, statusOf(tt.state.err())))
			if fetched != 1 {
				t.Errorf("orchestrator_vault_credentials_fetched_total{mongodb} = %v, want 1", fetched)
			}
		})
	}
}
