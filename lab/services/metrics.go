package services

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Values of the labels status and operation.
const (
	statusSuccess  = "success"
	statusError    = "error"
	statusFallback = "fallback"

	opReadSecret          = "read_secret"
	opDatabaseCredentials = "get_database_credentials"
)

// metrics are those of the runbook, with its names and labels. As in the public system, a series appears with its first
// event and not before, and the TTL gauges are set when something is fetched or renewed and do not count down.
type metrics struct {
	registry *prometheus.Registry

	vaultRequests      *prometheus.CounterVec   // operation, status
	vaultDuration      *prometheus.HistogramVec // operation
	tokenRenewals      *prometheus.CounterVec   // status
	tokenTTL           prometheus.Gauge
	credentialRenewals *prometheus.CounterVec // credential_type, status
	svidFetches        *prometheus.CounterVec // svid_type, status
	svidTTL            *prometheus.GaugeVec   // svid_type
	bundleUpdates      *prometheus.CounterVec // status

	credentialsFetched *prometheus.CounterVec // credential_type, status; nil but in the orchestrator
	renewalRuns        *prometheus.CounterVec // status; nil in the service-registry

	clientAttempts *prometheus.CounterVec // service, status
	clientFailures *prometheus.CounterVec // service, reason
	serverAttempts *prometheus.CounterVec // method, status
	serverFailures *prometheus.CounterVec // method, reason
}

func newMetrics(service string) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.addVault()
	m.svidFetches = m.counter("spiffe_svid_fetch_total", "SVIDs fetched from the Workload API.", "svid_type", "status")
	m.svidTTL = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "spiffe_svid_ttl_seconds", Help: "Life of the SVID when it was fetched.",
	}, []string{"svid_type"})
	m.bundleUpdates = m.counter("spiffe_trust_bundle_updates_total", "Trust bundles loaded.", "status")
	m.registry.MustRegister(m.svidTTL)
	switch service {
	case Orchestrator:
		m.credentialsFetched = m.counter("orchestrator_vault_credentials_fetched_total", "Credentials fetched from Vault.", "credential_type", "status")
		m.renewalRuns = m.counter("orchestrator_vault_renewal_task_runs_total", "Runs of the renewal task.", "status")
		m.addClient()
	case Worker:
		m.renewalRuns = m.counter("worker_vault_renewal_task_runs_total", "Runs of the renewal task.", "status")
		m.addClient()
	default:
		m.serverAttempts = m.counter("grpc_auth_attempts_total", "Calls whose JWT-SVID was verified.", "method", "status")
		m.serverFailures = m.counter("grpc_auth_failures_total", "Calls refused.", "method", "reason")
	}
	return m
}

func (m *metrics) addVault() {
	m.vaultRequests = m.counter("vault_requests_total", "Requests to Vault.", "operation", "status")
	m.vaultDuration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "vault_request_duration_seconds", Help: "Duration of requests to Vault.", Buckets: prometheus.DefBuckets,
	}, []string{"operation"})
	m.tokenRenewals = m.counter("vault_token_renewals_total", "Renewals of the Vault token.", "status")
	m.tokenTTL = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "vault_token_ttl_seconds", Help: "TTL of the Vault token when it was issued or renewed.",
	})
	m.credentialRenewals = m.counter("vault_credential_renewals_total", "Renewals of credentials.", "credential_type", "status")
	m.registry.MustRegister(m.vaultDuration, m.tokenTTL)
}

func (m *metrics) addClient() {
	m.clientAttempts = m.counter("grpc_jwt_auth_attempts_total", "Calls by whether a JWT-SVID was attached.", "service", "status")
	m.clientFailures = m.counter("grpc_jwt_auth_failures_total", "Calls that failed to authenticate.", "service", "reason")
}

func (m *metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// vaultCall counts and times one request to Vault.
func (m *metrics) vaultCall(operation string, began time.Time, err error) {
	m.vaultRequests.WithLabelValues(operation, statusOf(err)).Inc()
	m.vaultDuration.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

// credentialFetched counts where the service has the metric.
func (m *metrics) credentialFetched(kind string, err error) {
	if m.credentialsFetched != nil {
		m.credentialsFetched.WithLabelValues(kind, statusOf(err)).Inc()
	}
}

// renewalRun counts one run of the renewal task and of the renewal in it.
func (m *metrics) renewalRun(kind string, err error) {
	m.credentialRenewals.WithLabelValues(kind, statusOf(err)).Inc()
	if m.renewalRuns != nil {
		m.renewalRuns.WithLabelValues(statusOf(err)).Inc()
	}
}

func statusOf(err error) string {
	if err != nil {
		return statusError
	}
	return statusSuccess
}
