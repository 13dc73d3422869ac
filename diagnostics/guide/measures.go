package guide

import (
	"fmt"
	"strings"
	"time"

	"tandem/diagnostics"
)

// Measures are the runbook's metrics as they are read of one service: those that
// it should have, by its configuration. Every query selects by job, since
// Vault's own telemetry begins with vault_ as well.
func Measures(t diagnostics.Target, group Group) []Measure {
	if t.Job == "" {
		return nil
	}
	var all []Measure
	add := func(g Group, there bool, measures ...Measure) {
		if there && (group == "" || group == g) {
			for _, m := range measures {
				m.Group = g
				all = append(all, m)
			}
		}
	}
	q := queries{target: t}
	add(VaultGroup, t.Login.Role != "", q.requests(), q.duration(), q.tokenRenewals(), q.tokenTTL())
	add(Credentials, t.MetricPrefix == orchestrator, q.fetched())
	add(Credentials, t.Database.Role != "", q.renewalRuns(), q.credentialRenewals())
	add(SPIFFEGroup, t.SPIFFEID != "", q.svidFetches(), q.svidTTL(), q.bundles())
	add(GRPC, t.Peer.Name != "", q.attempts(), q.failures())
	add(GRPC, t.Peer.Job != "", q.verifier())
	if len(all) == 0 {
		return nil
	}
	return append([]Measure{q.gate()}, all...)
}

// queries writes PromQL about one service.
type queries struct{ target diagnostics.Target }

// of selects a metric of the service; more are further matchers.
func (q queries) of(metric string, more ...string) string {
	matchers := append([]string{fmt.Sprintf("job=%q", q.target.Job)}, more...)
	return metric + "{" + strings.Join(matchers, ",") + "}"
}

const (
	orchestrator = "orchestrator" // the prefix of metrics that it alone has

	failed    = `status="error"`
	succeeded = `status="success"`
)

// grown is how much counters grew over a window. One that begins within it
// counts by its value: increase() does not see the first step.
func grown(selector string, window time.Duration) string {
	w := promDuration(window)
	return fmt.Sprintf("((%[1]s unless %[1]s offset %[2]s) or increase(%[1]s[%[2]s]))", selector, w)
}

// orZero is a query whose empty answer means none wherever the service is
// scraped: series of errors are absent until the first error.
func (q queries) orZero(query string) string {
	return fmt.Sprintf("(%s or 0 * count(%s))", query, q.of("process_start_time_seconds"))
}

// share is a part of what grew, only where anything did.
func (q queries) share(part, whole string, window time.Duration) string {
	return fmt.Sprintf("%s / (sum(%s) > 0)", q.orZero("sum("+grown(part, window)+")"), grown(whole, window))
}

// promDuration writes a duration as PromQL reads it, in whole seconds.
func promDuration(d time.Duration) string { return fmt.Sprintf("%ds", max(1, int64(d.Seconds()))) }

// due is how long a healthy renewal takes at most.
func due(ttl time.Duration) time.Duration { return ttl * 5 / 4 }

func (q queries) gate() Measure {
	up := q.of("up")
	return Measure{
		Metric: "up", Group: Gate, Unit: Share, Limits: Limits{Warn: 1, Fail: 0.001, Below: true},
		Query: fmt.Sprintf("sum(%s) / count(%s)", up, up),
		What:  diagnostics.Both("targets that Prometheus can scrape", "alvos de que o Prometheus consegue coletar"),
		Trap: diagnostics.Both("of a target that is down there is no number below: it is not counted as healthy",
			"de um alvo fora do ar não há números abaixo: ele não conta como saudável"),
	}
}

func (q queries) requests() Measure {
	return Measure{
		Metric: "vault_requests_total", Unit: Share, Limits: Limits{Warn: 0, Fail: 0.05},
		Query: q.share(q.of("vault_requests_total", failed), q.of("vault_requests_total"), q.target.Window),
		What:  diagnostics.Both("requests to Vault that failed", "requisições ao Vault que falharam"),
		Trap: diagnostics.Both("the series of errors is absent until the first error; without requests there is no share",
			"a série de erros não existe até o primeiro erro; sem requisições não há proporção"),
		Empty: diagnostics.Both("no request in the window", "nenhuma requisição na janela"),
	}
}

func (q queries) duration() Measure {
	return Measure{
		Metric: "vault_request_duration_seconds", Unit: Seconds, Limits: Limits{Warn: 1, Fail: 5}, By: "operation",
		Query: fmt.Sprintf("max by (operation) (histogram_quantile(0.95, sum by (le, operation, instance) (rate(%s[%s]))))", q.of("vault_request_duration_seconds_bucket"), promDuration(2*q.target.Window)),
		What:  diagnostics.Both("95 of 100 requests to Vault are faster, in the slowest pod", "95 de cada 100 requisições ao Vault são mais rápidas, no pod mais lento"),
		Trap:  diagnostics.Both("an average hides the slow ones, and fast pods hide a slow one", "uma média esconde as lentas, e pods rápidos escondem um lento"),
		Empty: diagnostics.Both("no request in the window", "nenhuma requisição na janela"),
	}
}

func (q queries) tokenRenewals() Measure {
	return Measure{
		Metric: "vault_token_renewals_total", Unit: PerSecond, Limits: Limits{Warn: 0, Fail: 1},
		Query: q.orZero(fmt.Sprintf("sum(rate(%s[%s]))", q.of("vault_token_renewals_total", failed), promDuration(q.target.Window))),
		What:  diagnostics.Both("renewals of the token that failed", "renovações do token que falharam"),
		Trap: diagnostics.Both("after the token's maximum a loop that never logs in again storms renew-self",
			"depois do máximo do token, um loop que nunca faz login de novo bombardeia renew-self"),
	}
}

func (q queries) tokenTTL() Measure {
	limits := Limits{Warn: none, Fail: 0.001, Below: true}
	if ttl := q.target.Login.TTL.Seconds(); ttl > 0 {
		limits.Warn = ttl / 2
	}
	return Measure{
		Metric: "vault_token_ttl_seconds", Unit: Seconds, Limits: limits,
		Query: fmt.Sprintf("min(%s)", q.of("vault_token_ttl_seconds")),
		What:  diagnostics.Both("life of the token when it was issued or renewed last", "vida do token quando foi emitido ou renovado pela última vez"),
		Trap: diagnostics.Both("it does not count down: it says nothing of the life that is left. When it shrinks from renewal to renewal the token nears its maximum",
			"ela não diminui com o tempo: não diz quanto resta. Quando encolhe de uma renovação para outra, o token se aproxima do máximo"),
	}
}

func (q queries) fetched() Measure {
	name := orchestrator + "_vault_credentials_fetched_total"
	return Measure{
		Metric: name, Unit: Number, Limits: Limits{Warn: 0, Fail: none},
		Query: q.orZero("sum(" + grown(q.of(name, failed), max(due(q.target.Database.TTL), q.target.Window)) + ")"),
		What: diagnostics.Both("fetches of credentials that failed, over a TTL and a quarter",
			"buscas de credenciais que falharam, em um TTL e um quarto"),
		Trap: diagnostics.Both("only the orchestrator has it; it rises at the start and when a lease cannot be renewed: flat is normal",
			"só o orchestrator tem; ela sobe no início e quando um lease não pode ser renovado: parada é normal"),
	}
}

func (q queries) renewalRuns() Measure {
	window := max(due(q.target.Database.TTL), q.target.Window)
	name := q.target.MetricPrefix + "_vault_renewal_task_runs_total"
	started := q.of("process_start_time_seconds")
	return Measure{
		Metric: name, Unit: Number, Limits: Limits{Warn: none, Fail: 0.5, Below: true},
		Query: fmt.Sprintf("min((sum by (instance) (%s) or 0 * sum by (instance) (%s)) and on (instance) (time() - %s > %d))",
			grown(q.of(name, succeeded), window), started, started, int64(window.Seconds())),
		What: diagnostics.Both("runs that succeeded in a TTL and a quarter, in the pod with the fewest",
			"execuções com sucesso em um TTL e um quarto, no pod que teve menos"),
		Trap: diagnostics.Both("a healthy run comes every 38 to 48 minutes at a TTL of an hour: none in 15 minutes is normal",
			"uma execução saudável vem a cada 38 a 48 minutos com TTL de uma hora: nenhuma em 15 minutos é normal"),
		Empty: diagnostics.Both("no pod is that old: the first run is not due", "nenhum pod tem essa idade: a primeira execução ainda não é devida"),
	}
}

func (q queries) credentialRenewals() Measure {
	return Measure{
		Metric: "vault_credential_renewals_total", Unit: Number, Limits: Limits{Warn: 0, Fail: none},
		Query: q.orZero("sum(" + grown(q.of("vault_credential_renewals_total", failed), q.target.Window) + ")"),
		What:  diagnostics.Both("renewals of credentials that failed", "renovações de credenciais que falharam"),
		Trap: diagnostics.Both("that renewals succeed does not prove that the pool uses the new credential: it fails one TTL later",
			"renovações com sucesso não provam que o pool usa a credencial nova: ele falha um TTL depois"),
	}
}

func (q queries) svidFetches() Measure {
	return Measure{
		Metric: "spiffe_svid_fetch_total", Unit: Share, Limits: Limits{Warn: 0, Fail: 0.5},
		Query: q.share(q.of("spiffe_svid_fetch_total", failed), q.of("spiffe_svid_fetch_total"), q.target.Window),
		What:  diagnostics.Both("fetches of SVIDs that failed", "buscas de SVIDs que falharam"),
		Empty: diagnostics.Both("no fetch in the window: one is due at half the life of an SVID", "nenhuma busca na janela: uma é devida na metade da vida do SVID"),
	}
}

func (q queries) svidTTL() Measure {
	return Measure{
		Metric: "spiffe_svid_ttl_seconds", Unit: Seconds, Limits: Limits{Warn: none, Fail: 0.001, Below: true}, By: "svid_type",
		Query: fmt.Sprintf("min by (svid_type) (%s)", q.of("spiffe_svid_ttl_seconds")),
		What:  diagnostics.Both("life of the SVID when it was fetched last", "vida do SVID quando foi buscado pela última vez"),
		Trap: diagnostics.Both("it does not count down: an SVID that is never fetched again keeps its number and is expired",
			"ela não diminui com o tempo: um SVID que nunca mais é buscado mantém o número e está vencido"),
	}
}

func (q queries) bundles() Measure {
	return Measure{
		Metric: "spiffe_trust_bundle_updates_total", Unit: Number, Limits: Limits{Warn: none, Fail: 0.5, Below: true},
		Query: fmt.Sprintf("min(sum by (instance) (%s))", q.of("spiffe_trust_bundle_updates_total", succeeded)),
		What:  diagnostics.Both("trust bundles loaded, in the pod with the fewest", "trust bundles carregados, no pod que teve menos"),
		Trap: diagnostics.Both("it rises about once in the life of a process: flat is not stale. Whether the bundle is current says BND-001",
			"ela sobe cerca de uma vez na vida do processo: parada não é desatualizada. Se o bundle está atual, diz BND-001"),
	}
}

func (q queries) attempts() Measure {
	return Measure{
		Metric: "grpc_jwt_auth_attempts_total", Unit: Share, Limits: Limits{Warn: 0, Fail: 0.5},
		Query: q.share(q.of("grpc_jwt_auth_attempts_total", `status!="success"`), q.of("grpc_jwt_auth_attempts_total"), q.target.Window),
		What:  diagnostics.Both("calls that went out without a JWT-SVID", "chamadas que saíram sem JWT-SVID"),
		Trap: diagnostics.Both("status success means that a token was attached, not that it was accepted",
			"status success significa que um token foi anexado, não que foi aceito"),
		Empty: diagnostics.Both("no call in the window", "nenhuma chamada na janela"),
	}
}

func (q queries) failures() Measure {
	return Measure{
		Metric: "grpc_jwt_auth_failures_total", Unit: Share, Limits: Limits{Warn: 0, Fail: 0.1},
		Query: q.share(q.of("grpc_jwt_auth_failures_total"), q.of("grpc_jwt_auth_attempts_total"), q.target.Window),
		What:  diagnostics.Both("calls that were refused, as the caller saw it", "chamadas recusadas, como quem chama viu"),
		Empty: diagnostics.Both("no call in the window", "nenhuma chamada na janela"),
	}
}

func (q queries) verifier() Measure {
	peer := queries{target: diagnostics.Target{Job: q.target.Peer.Job}}
	return Measure{
		Metric: "grpc_auth_failures_total", Unit: Share, Limits: Limits{Warn: 0, Fail: 0.1},
		Query: peer.share(peer.of("grpc_auth_failures_total"), peer.of("grpc_auth_attempts_total"), q.target.Window),
		What: diagnostics.Both("calls of anybody that "+q.target.Peer.Name+" refused",
			"chamadas de qualquer um que "+q.target.Peer.Name+" recusou"),
		Trap: diagnostics.Both("it is the verifier's side, of all its callers: this is what was accepted or not",
			"é o lado de quem verifica, de todos os que o chamam: é o que foi aceito ou não"),
		Empty: diagnostics.Both("no call in the window", "nenhuma chamada na janela"),
	}
}
