package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"tandem/lab/kubernetes"
	"tandem/lab/services"
)

// The bot's account in the cluster, and the image of the end-to-end check.
const (
	botNamespace, botAccount = "tandem", "tandem"
	endToEndImage            = "neural-hive/end-to-end"
)

// entryParentPath is the node alias that the services' entries hang from.
const entryParentPath = "/cluster/neural-hive"

// etcdAddresses are URLs of etcd.
type etcdAddresses struct{ client, peer string }

// cluster is what the world plays of Kubernetes inside its own process.
type cluster struct {
	client *kubernetes.Client
	keeper *kubernetes.Cluster
	log    *os.File
}

// close ends what was started of it.
func (c cluster) close() {
	if c.keeper != nil {
		c.keeper.Close()
	}
	if c.client != nil {
		c.client.Close()
	}
	if c.log != nil {
		c.log.Close()
	}
}

// planKubernetes says where the files will be, or that there is no cluster.
func (b *builder) planKubernetes() {
	files := b.clusterFiles()
	if b.options.NoKubernetes {
		b.state.Kubernetes = KubernetesState{}
		return
	}
	b.state.Kubernetes.CAFile = files.CA()
	b.state.Kubernetes.AdminKubeconfig = filepath.Join(files.Dir, "admin.kubeconfig")
	b.state.Kubernetes.BotKubeconfig = filepath.Join(b.folder.botDir(), "kubeconfig")
}

func (b *builder) clusterFiles() kubernetes.Files {
	return kubernetes.Files{Dir: b.folder.kubernetesDir()}
}

// startKubernetes starts etcd and the API server, and applies what the lab's
// operators deployed.
func (b *builder) startKubernetes(ctx context.Context) error {
	files, err := kubernetes.MakeFiles(b.folder.kubernetesDir())
	if err != nil {
		return err
	}
	for _, part := range []spec{b.etcdSpec(), b.kubernetesSpec(files)} {
		if err := b.supervisor.add(ctx, part); err != nil {
			return err
		}
	}
	if b.cluster.client, err = kubernetes.NewClient(kubernetes.Admin(b.state.Kubernetes.URL, files)); err != nil {
		return err
	}
	rights, err := b.printed(ctx, "policy", "kubernetes")
	if err != nil {
		return err
	}
	for _, manifests := range [][]byte{kubernetes.ClusterManifests(), rights} {
		if err := b.cluster.client.Apply(ctx, manifests); err != nil {
			return err
		}
	}
	return b.writeKubeconfigs(ctx, files)
}

func (b *builder) etcdSpec() spec {
	return spec{
		name: "etcd", path: b.binaries.etcd, address: b.etcd.client, logFile: b.folder.log("etcd"),
		args:  kubernetes.EtcdArgs(b.etcd.client, b.etcd.peer, b.folder.path("data", "etcd")),
		ready: answersOK(b.etcd.client + "/health"),
	}
}

func (b *builder) kubernetesSpec(files kubernetes.Files) spec {
	url := b.state.Kubernetes.URL
	return spec{
		name: partKubernetes, path: b.binaries.kubernetes, address: url, logFile: b.folder.log(partKubernetes),
		args: kubernetes.ServerArgs(hostPort(url), b.etcd.client, files),
		ready: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, answerTimeout)
			defer cancel()
			return kubernetes.ServerReady(ctx, kubernetes.Admin(url, files))
		},
		// It has nothing to save, and would wait for an etcd that has gone.
		stopSignal: syscall.SIGKILL,
	}
}

func (b *builder) writeKubeconfigs(ctx context.Context, files kubernetes.Files) error {
	state := b.state.Kubernetes
	return errors.Join(
		kubernetes.WriteAdmin(state.AdminKubeconfig, state.URL, files),
		b.cluster.client.WriteAccount(ctx, state.BotKubeconfig, files, botNamespace, botAccount),
	)
}

// startCluster begins to keep the workloads, whose processes all run by now, and
// returns when the cluster shows them.
func (b *builder) startCluster(ctx context.Context) error {
	if b.options.NoKubernetes {
		return nil
	}
	dir := b.folder.path("logs", "jobs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the logs of jobs: %w", err)
	}
	var err error
	if b.cluster.log, err = os.Create(b.folder.log("controller")); err != nil {
		return fmt.Errorf("open the log of the controllers: %w", err)
	}
	workloads := append(b.serviceWorkloads(), b.spireWorkloads()...)
	b.cluster.keeper, err = kubernetes.Start(ctx, b.cluster.client, kubernetes.Config{
		Files: b.clusterFiles(), Workloads: workloads, LogDir: dir,
		Programs: map[string]kubernetes.Program{
			endToEndImage: {Path: b.options.LabBinary, Args: []string{"end-to-end", "--dir", string(b.folder)}},
		},
		Log: slog.New(slog.NewJSONHandler(b.cluster.log, nil)),
	})
	if err != nil {
		return err
	}
	return poll(ctx, func(ctx context.Context) error { return b.cluster.client.Available(ctx, workloads) })
}

// serviceWorkloads are the Deployments of the three services.
func (b *builder) serviceWorkloads() []kubernetes.Workload {
	var all []kubernetes.Workload
	for _, s := range catalogue() {
		all = append(all, kubernetes.Workload{
			Kind: kubernetes.Deployment, Namespace: s.namespace, Name: s.serviceAccount, LogFile: b.state.Services[s.name].LogFile,
			Restart: func(ctx context.Context) error { return b.newPod(ctx, s.name) },
			Ready:   answersOK(b.state.Services[s.name].AdminURL + "/healthz"),
		})
	}
	return all
}

// newPod restarts a service as a new pod does: what it had in memory is gone,
// and what its Deployment configures comes back, faults included.
func (b *builder) newPod(ctx context.Context, service string) error {
	var behaviour services.Behaviour
	err := getJSON(ctx, b.state.Services[service].AdminURL+"/lab/behaviour", &behaviour)
	if err != nil { // a service that does not answer cannot tell how it was configured
		behaviour = services.Behaviour{}
	}
	configured, err := asObject(behaviour.Configured())
	if err != nil {
		return fmt.Errorf("keep the configuration of %s: %w", service, err)
	}
	return b.supervisor.act(ctx, service, actionRestart, Override{Config: map[string]any{"behaviour": configured}})
}

func asObject(value any) (map[string]any, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	return object, json.Unmarshal(content, &object)
}

// spireWorkloads are the agent and the server, which are one process here: a new
// pod is asked of it.
func (b *builder) spireWorkloads() []kubernetes.Workload {
	admin := b.state.SPIFFE.AdminURL
	part := func(kind kubernetes.Kind, name, action string, ready func(spireFaults) bool) kubernetes.Workload {
		return kubernetes.Workload{
			Kind: kind, Namespace: "spire-system", Name: name,
			Restart: func(ctx context.Context) error {
				_, err := call(ctx, http.MethodPost, admin+"/admin/"+action, nil)
				return err
			},
			Ready: func(ctx context.Context) error { return spireReady(ctx, admin, name, ready) },
		}
	}
	return []kubernetes.Workload{
		part(kubernetes.StatefulSet, "spire-server", "restart-server", spireFaults.server),
		part(kubernetes.DaemonSet, "spire-agent", "restart-agent", spireFaults.agent),
	}
}

// spireFaults are the faults that the probes of the pods would see.
type spireFaults struct {
	AgentDown       string `json:"agent_down"`
	AgentState      string `json:"agent_state"`
	ServerDown      bool   `json:"server_down"`
	ServerHang      bool   `json:"server_hang"`
	ServerUnhealthy bool   `json:"server_unhealthy"`
	OIDCDown        bool   `json:"oidc_down"`
}

func (f spireFaults) agent() bool { return f.AgentDown == "" && f.AgentState == "" }

func (f spireFaults) server() bool {
	return !f.ServerDown && !f.ServerHang && !f.ServerUnhealthy && !f.OIDCDown
}

func spireReady(ctx context.Context, admin, name string, ready func(spireFaults) bool) error {
	var faults spireFaults
	if err := getJSON(ctx, admin+"/admin/faults", &faults); err != nil {
		return err
	}
	if !ready(faults) {
		return fmt.Errorf("%s does not serve", name)
	}
	return nil
}
