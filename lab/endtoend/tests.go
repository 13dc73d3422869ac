package endtoend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/jackc/pgx/v5"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"

	"tandem/lab/services"
	"tandem/lab/world"
)

// tests are what must work, in the order of the chain.
func tests(state world.State) []test {
	c := checks{state}
	return []test{
		{"test_vault_is_unsealed", c.vaultUnsealed},
		{"test_workload_gets_a_valid_jwt_svid", c.validSVID},
		{"test_vault_accepts_the_jwt_svid", c.vaultAccepts},
		{"test_orchestrator_holds_a_valid_database_user", c.databaseUser},
		{"test_worker_calls_are_accepted", c.callsAccepted},
	}
}

type checks struct{ state world.State }

func (c checks) vault() (*api.Client, error) {
	client, err := api.NewClient(&api.Config{Address: c.state.Vault.URL, Timeout: testTimeout})
	if err == nil {
		client.ClearToken()
	}
	return client, err
}

func (c checks) vaultUnsealed(ctx context.Context) error {
	client, err := c.vault()
	if err != nil {
		return err
	}
	health, err := client.Sys().HealthWithContext(ctx)
	if err == nil && (health.Sealed || !health.Initialized) {
		err = errors.New("vault is sealed")
	}
	return err
}

// svid fetches an identity as any workload does, and checks it by the agent's
// bundle.
func (c checks) svid(ctx context.Context) (*jwtsvid.SVID, error) {
	source, err := workloadapi.New(ctx, workloadapi.WithAddr("unix://"+c.state.SPIFFE.WorkloadSocket))
	if err != nil {
		return nil, err
	}
	defer source.Close()
	svid, err := source.FetchJWTSVID(ctx, jwtsvid.Params{Audience: c.state.Vault.Audience})
	if err != nil {
		return nil, err
	}
	return source.ValidateJWTSVID(ctx, svid.Marshal(), c.state.Vault.Audience)
}

func (c checks) validSVID(ctx context.Context) error {
	_, err := c.svid(ctx)
	return err
}

func (c checks) vaultAccepts(ctx context.Context) error {
	svid, err := c.svid(ctx)
	if err != nil {
		return err
	}
	client, err := c.vault()
	if err != nil {
		return err
	}
	secret, err := client.Logical().WriteWithContext(ctx, "auth/"+c.state.Vault.JWTMount+"/login", map[string]any{
		"role": "tandem-bot", "jwt": svid.Marshal(),
	})
	if err != nil {
		return err
	}
	client.SetToken(secret.Auth.ClientToken)
	return client.Auth().Token().RevokeSelfWithContext(ctx, "")
}

func (c checks) databaseUser(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.state.Postgres.ReadOnlyDSN)
	if err != nil {
		return errors.New("cannot log in to PostgreSQL") // the error may quote the address
	}
	defer conn.Close(ctx)
	var valid int
	err = conn.QueryRow(ctx, `SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-%' AND rolvaliduntil > now()`).Scan(&valid)
	if err == nil && valid == 0 {
		err = errors.New("no user that Vault made is valid")
	}
	return err
}

// callsAccepted waits for calls that the registry accepts from now on.
func (c checks) callsAccepted(ctx context.Context) error {
	before, err := c.accepted(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no call was accepted in %s", testTimeout)
		case <-tick.C:
		}
		now, err := c.accepted(ctx)
		if err != nil {
			return err
		}
		if now > before {
			return nil
		}
	}
}

// accepted counts the worker's calls that went out with a token and were not
// refused.
func (c checks) accepted(ctx context.Context) (float64, error) {
	families, err := scrape(ctx, c.state.Services[services.Worker].AdminURL+"/metrics")
	if err != nil {
		return 0, err
	}
	return sum(families["grpc_jwt_auth_attempts_total"], "status", "success") - sum(families["grpc_jwt_auth_failures_total"], "", ""), nil
}

func scrape(ctx context.Context, url string) (map[string]*dto.MetricFamily, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(response.Body)
}

// sum adds the counters of a family that have a label's value; all without one.
func sum(family *dto.MetricFamily, label, value string) float64 {
	total := 0.0
	for _, m := range family.GetMetric() {
		if label == "" || has(m, label, value) {
			total += m.GetCounter().GetValue()
		}
	}
	return total
}

func has(m *dto.Metric, label, value string) bool {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == label && pair.GetValue() == value {
			return true
		}
	}
	return false
}
