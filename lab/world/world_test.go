package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/lab/services"
)

// TestWorld starts the whole world once, and looks at every part of it: on a
// machine that has never built the servers, that takes minutes.
func TestWorld(t *testing.T) {
	w, err := Start(t.Context(), Options{
		Dir: filepath.Join(t.TempDir(), "lab"), TTL: 20 * time.Second, FreePorts: true,
		Progress: func(line string) { t.Log(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(t, w) })
	attached, err := Attach(w.State().Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		run  func(*testing.T, *World)
	}{
		{"files", checkFiles},
		{"Vault is configured", checkVault},
		{"the bot may look and not read", checkBotRights},
		{"services are healthy", checkServices},
		{"PostgreSQL has the dynamic users", checkPostgres},
		{"Prometheus scrapes every part", checkPrometheus},
		{"Loki has the services' events", checkLoki},
		{"a rollout restart restarts the process", checkRollout},
		{"deleted pods of SPIRE come back whole", checkSpirePods},
		{"a second world is refused", checkExclusive},
		{"Vault keeps its state", checkVaultRestart},
		{"a paused PostgreSQL hangs", checkPause},
		{"a killed service is seen and started", checkKill},
		{"down", checkDown},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, attached) })
	}
}

// closeAll ends the world, and finds nothing of it left.
func closeAll(t *testing.T, w *World) {
	t.Helper()
	parts, err := w.Processes(context.Background())
	if err != nil {
		t.Error(err)
	}
	select {
	case <-w.Asked():
	default:
		t.Error("the request to end did not reach the owner")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, part := range parts {
		if part.PID != 0 && kernelState(part.PID) != "gone" {
			t.Errorf("%s (pid %d) outlived its world", part.Name, part.PID)
		}
	}
	if _, err := Attach(w.State().Dir); err == nil {
		t.Error("the ended world can still be attached to")
	}
}

func checkFiles(t *testing.T, w *World) {
	state := w.State()
	for _, path := range []string{
		state.Bot.VaultTokenFile, state.Bot.RoleIDFile, state.Bot.SecretIDFile, state.Bot.ReadOnlyDSNFile,
		state.Bot.SlackBotTokenFile, state.Bot.SlackAppTokenFile, state.Bot.AlertsTokenFile, state.Bot.ConfigFile,
		state.Kubernetes.AdminKubeconfig, state.Kubernetes.BotKubeconfig, state.Kubernetes.CAFile,
		folder(state.Dir).stateFile(), folder(state.Dir).envFile(), folder(state.Dir).readyFile(),
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%s: %v, want a file for its owner only", path, err)
		}
	}
	if token := fileText(t, state.Bot.VaultTokenFile); strings.Contains(token, state.Vault.RootToken) {
		t.Error("the bot was given the root token")
	}
}

func checkVault(t *testing.T, w *World) {
	client, err := w.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	health, err := client.Sys().HealthWithContext(t.Context())
	if err != nil || health.Sealed || !strings.HasPrefix(health.Version, "1.21.") {
		t.Fatalf("health %+v, %v", health, err)
	}
	for _, s := range catalogue() {
		role, err := client.Logical().ReadWithContext(t.Context(), "auth/jwt/role/"+s.vaultRole)
		if err != nil || role == nil || role.Data["bound_subject"] != s.id() {
			t.Errorf("role %s: %+v, %v", s.vaultRole, role, err)
		}
	}
}

// asBot calls Vault with the bot's token and returns the status.
func asBot(t *testing.T, w *World, method, path string) int {
	t.Helper()
	token := strings.TrimSpace(fileText(t, w.State().Bot.VaultTokenFile))
	request, err := newRequest(t.Context(), method, w.State().Vault.URL+"/v1/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", token)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func checkBotRights(t *testing.T, w *World) {
	for path, want := range map[string]int{
		"secret/metadata/orchestrator/mongodb":         200,
		"secret/subkeys/orchestrator/mongodb":          200,
		"database/roles/temporal-orchestrator":         200,
		"database/config/temporal-db":                  200,
		"auth/jwt/config":                              200,
		"auth/jwt/role/worker-agents":                  200,
		"sys/policies/acl/worker-agents-policy":        200,
		"auth/token/lookup-self":                       200,
		"secret/data/orchestrator/mongodb":             403,
		"database/creds/temporal-orchestrator":         403,
		"sys/policies/acl/root":                        403,
		"auth/approle/role/tandem-bot/secret-id?list=": 403,
	} {
		if got := asBot(t, w, http.MethodGet, path); got != want {
			t.Errorf("GET %s as the bot: %d, want %d", path, got, want)
		}
	}
}

// eventually polls with room enough for a loaded machine.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	if err := poll(t.Context(), try); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func checkServices(t *testing.T, w *World) {
	for name, service := range w.State().Services {
		eventually(t, name+" has logged in", func(context.Context) error {
			content, err := os.ReadFile(service.AccessorFile)
			if err == nil && len(content) == 0 {
				err = errors.New("empty accessor")
			}
			return err
		})
		if err := answersOK(service.AdminURL + "/metrics")(t.Context()); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "the orchestrator reaches MongoDB", logHas(w, services.Orchestrator, "mongodb_connected"))
	eventually(t, "the worker calls the registry", logHas(w, services.Worker, "jwt_svid_added_to_metadata"))
}

func logHas(w *World, service, event string) func(context.Context) error {
	return func(context.Context) error {
		content, err := os.ReadFile(w.State().Services[service].LogFile)
		if err == nil && !strings.Contains(string(content), `"`+event+`"`) {
			err = fmt.Errorf("no %s in the log yet", event)
		}
		return err
	}
}

func checkPostgres(t *testing.T, w *World) {
	conn, err := pgx.Connect(t.Context(), w.State().Postgres.ReadOnlyDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	eventually(t, "dynamic users with an end", func(ctx context.Context) error {
		var users int
		err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_roles r JOIN pg_stat_activity a ON a.usename = r.rolname
			WHERE r.rolname LIKE 'v-%' AND r.rolvaliduntil IS NOT NULL`).Scan(&users)
		if err == nil && users == 0 {
			err = errors.New("none yet")
		}
		return err
	})
	if _, err := conn.Exec(t.Context(), `CREATE TABLE x (y int)`); err == nil {
		t.Error("the read-only role can write")
	}
}

// checkPrometheus and checkLoki look once: a world that is up is seen.
func checkPrometheus(t *testing.T, w *World) {
	if err := w.State().scraped(t.Context()); err != nil {
		t.Error(err)
	}
}

func checkLoki(t *testing.T, w *World) {
	for name := range w.State().Services {
		if err := w.State().heard(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
}

func checkExclusive(t *testing.T, w *World) {
	_, err := Start(t.Context(), Options{Dir: w.State().Dir})
	if err == nil || !strings.Contains(err.Error(), "already running") {
		t.Errorf("second start: %v", err)
	}
}

func checkVaultRestart(t *testing.T, w *World) {
	client, err := w.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Stop(t.Context(), "vault"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Sys().HealthWithContext(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("health of a stopped Vault: %v, want refused", err)
	}
	if err := w.StartProcess(t.Context(), "vault"); err != nil {
		t.Fatal(err)
	}
	if got := asBot(t, w, http.MethodGet, "secret/metadata/orchestrator/mongodb"); got != 200 {
		t.Errorf("metadata after the restart: %d", got)
	}
	if err := client.Sys().SealWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Unseal(t.Context()); err != nil {
		t.Error(err)
	}
}

func checkPause(t *testing.T, w *World) {
	if err := w.Pause(t.Context(), "postgres"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := postgresAnswers(ctx, w.State().Postgres.AdminDSN); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("connecting to a paused server: %v, want no answer", err)
	}
	if err := w.Continue(t.Context(), "postgres"); err != nil {
		t.Fatal(err)
	}
	conn, err := w.PostgresAdmin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
}

func checkKill(t *testing.T, w *World) {
	if err := w.Kill(t.Context(), services.Worker); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, w, services.Worker); got != stateKilled {
		t.Errorf("state %q, want killed", got)
	}
	addr := hostPort(w.State().Services[services.Worker].AdminURL)
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("a killed service answers")
	}
	if err := w.StartProcess(t.Context(), services.Worker); err != nil {
		t.Fatal(err)
	}
	if err := w.Behaviour(t.Context(), services.Worker, map[string]any{"svid": "placeholder"}); err != nil {
		t.Error(err)
	}
	if err := w.Behaviour(t.Context(), "nobody", nil); err == nil {
		t.Error("a service that is none took a behaviour")
	}
	if err := w.Stop(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), services.Worker) {
		t.Errorf("stop of a part that is none: %v, want the names there are", err)
	}
}

func stateOf(t *testing.T, w *World, name string) string {
	t.Helper()
	parts, err := w.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if part.Name == name {
			return part.State
		}
	}
	return "absent"
}

// checkDown asks over the socket; the owner closes, as `lab up` would.
func checkDown(t *testing.T, w *World) {
	parts, err := w.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.controller.(remote).call(t.Context(), http.MethodPost, "/down", nil); err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if part.State != stateRunning {
			t.Errorf("%s is %s before the end", part.Name, part.State)
		}
	}
}
