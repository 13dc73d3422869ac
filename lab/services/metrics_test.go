package services

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
)

// touch makes every series that a service can have appear once.
func touch(m *metrics) {
	broken := errors.New("x")
	for _, err := range []error{nil, broken} {
		for _, op := range []string{opReadSecret, opDatabaseCredentials} {
			m.vaultCall(op, time.Now(), err)
		}
		m.renewalRun(kindPostgres, err)
		m.credentialFetched(kindPostgres, err)
		m.credentialFetched(kindMongo, err)
		m.tokenRenewals.WithLabelValues(statusOf(err)).Inc()
		m.bundleUpdates.WithLabelValues(statusOf(err)).Inc()
		for _, kind := range []string{"jwt_svid", "x509_svid"} {
			m.svidFetches.WithLabelValues(kind, statusOf(err)).Inc()
			m.svidTTL.WithLabelValues(kind).Set(1)
		}
	}
	if m.clientAttempts != nil {
		m.clientAttempts.WithLabelValues(ServiceRegistry, statusFallback).Inc()
		m.clientFailures.WithLabelValues(ServiceRegistry, "unauthenticated").Inc()
	}
	if m.serverAttempts != nil {
		m.serverAttempts.WithLabelValues(methodDiscover, statusSuccess).Inc()
		m.serverFailures.WithLabelValues(methodDiscover, "invalid_token").Inc()
	}
}

func TestMetricsAreThoseOfTheRunbook(t *testing.T) {
	update := os.Getenv("UPDATE_GOLDEN") != ""
	for _, service := range []string{Orchestrator, Worker, ServiceRegistry} {
		t.Run(service, func(t *testing.T) {
			m := newMetrics(service)
			touch(m)
			families, err := m.registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			got := describe(families)
			golden := filepath.Join("testdata", service+".metrics")
			if update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// describe lists names, types and label names; of the process's own metrics only the one that the runbook uses.
func describe(families []*dto.MetricFamily) string {
	var out bytes.Buffer
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "process_") && family.GetName() != "process_start_time_seconds" {
			continue
		}
		var labels []string
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if entry := label.GetName() + "=" + label.GetValue(); !slices.Contains(labels, entry) {
					labels = append(labels, entry)
				}
			}
		}
		slices.Sort(labels)
		fmt.Fprintln(&out, strings.TrimSpace(fmt.Sprintf("%s %s %s", family.GetName(), strings.ToLower(family.GetType().String()), strings.Join(labels, " "))))
	}
	return out.String()
}

func TestErrorSeriesAreAbsentUntilTheFirstError(t *testing.T) {
	m := newMetrics(Orchestrator)
	m.vaultCall(opReadSecret, time.Now(), nil)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if text := describe(families); strings.Contains(text, "status=error") || strings.Contains(text, "renewal_task_runs") {
		t.Errorf("series before their first event:\n%s", text)
	}
}
