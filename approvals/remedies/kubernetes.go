package remedies

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	batchclient "k8s.io/client-go/kubernetes/typed/batch/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"tandem/approvals"
)

const (
	// lookEvery is how often something that is awaited is looked at.
	lookEvery = time.Second
	// callsPerSecond bounds what the bot asks of the API server.
	callsPerSecond = 50
)

// Kubernetes is how the remedies reach the cluster.
//
// The privilege of a remedy is a service account of its own, which is
// impersonated while an approved plan is carried out. No credential is made for
// it: nothing can leak or outlive the call, nothing is left to revoke, and the
// cluster's audit log has both names. A token would live for 10 minutes at least.
type Kubernetes struct {
	Client ClusterAPI // the standing identity's, which only reads; nil: no cluster is configured
	// Namespace is where the service accounts of the remedies are, and Account the
	// bot's own one there.
	Namespace, Account string
	// As makes a client that acts as a service account of the Namespace. It shares
	// its connections with the standing identity's.
	As func(account string) (ClusterAPI, error)
}

// ClusterAPI is what of the cluster's API the remedies use: a client for all of it
// is bigger than the rest of the bot.
type ClusterAPI interface {
	AppsV1() appsclient.AppsV1Interface
	BatchV1() batchclient.BatchV1Interface
	CoreV1() coreclient.CoreV1Interface
}

type clusterAPI struct {
	apps  *appsclient.AppsV1Client
	batch *batchclient.BatchV1Client
	core  *coreclient.CoreV1Client
}

func (c clusterAPI) AppsV1() appsclient.AppsV1Interface    { return c.apps }
func (c clusterAPI) BatchV1() batchclient.BatchV1Interface { return c.batch }
func (c clusterAPI) CoreV1() coreclient.CoreV1Interface    { return c.core }

func newClusterAPI(config *rest.Config, client *http.Client) (ClusterAPI, error) {
	apps, appsErr := appsclient.NewForConfigAndClient(config, client)
	batch, batchErr := batchclient.NewForConfigAndClient(config, client)
	core, coreErr := coreclient.NewForConfigAndClient(config, client)
	return clusterAPI{apps, batch, core}, errors.Join(appsErr, batchErr, coreErr)
}

// NewKubernetes reaches the cluster with a configuration of the standing
// identity. It calls nobody yet. The caller calls
// close at the end, which lets go of the connections.
func NewKubernetes(config *rest.Config, namespace, account string) (k Kubernetes, closeAll func(), err error) {
	config = rest.CopyConfig(config)
	if config.QPS == 0 { // the library's own default makes a look wait for others
		config.QPS, config.Burst = callsPerSecond, 2*callsPerSecond
	}
	config.WarningHandlerWithContext = rest.NoWarnings{} // a server's words are not logged
	shared, err := rest.TransportFor(config)
	if err != nil {
		return Kubernetes{}, nil, fmt.Errorf("read how to enter the cluster: %w", err)
	}
	k = Kubernetes{Namespace: namespace, Account: account}
	k.As = func(account string) (ClusterAPI, error) {
		as := rest.AnonymousClientConfig(config)
		as.Impersonate = rest.ImpersonationConfig{UserName: userName(namespace, account)}
		transport, err := rest.HTTPWrappersForConfig(as, shared)
		if err != nil {
			return nil, fmt.Errorf("act as %s: %w", account, err)
		}
		return newClusterAPI(as, &http.Client{Transport: transport})
	}
	if k.Client, err = newClusterAPI(config, &http.Client{Transport: shared}); err != nil {
		return Kubernetes{}, nil, fmt.Errorf("make the client of the cluster: %w", err)
	}
	return k, func() { utilnet.CloseIdleConnectionsFor(shared) }, nil
}

// userName is how a service account is called where users are meant.
func userName(namespace, account string) string {
	return "system:serviceaccount:" + namespace + ":" + account
}

// Workload names a workload of the cluster; its kind follows from what it is for.
type Workload struct{ Namespace, Name string }

func (w Workload) String() string { return w.Namespace + "/" + w.Name }

// target names something of the cluster among the things that are changed.
func target(kind string, w Workload, part ...string) string {
	name := "kubernetes:" + w.Namespace + "/" + kind + "/" + w.Name
	for _, p := range part {
		name += "/" + p
	}
	return name
}

// ready refuses when nothing could be looked at, or nothing done.
func (k Kubernetes) ready() error {
	if k.Client == nil || k.As == nil {
		return refuse(approvals.WhyNoRemedy, "Kubernetes is not configured: set kubernetes and remedies.kubernetes in the configuration, and apply the output of: bot policy kubernetes")
	}
	return nil
}

// acting is the account of one remedy, to act as.
type acting struct {
	client   ClusterAPI
	identity string // for the audit
}

// as acts as the account of a remedy.
func (k Kubernetes) as(remedy string) (acting, error) {
	account := RoleName(remedy)
	client, err := k.As(account)
	if err != nil {
		return acting{}, &approvals.Trouble{Text: "nothing was changed: no client for the account " + account + " could be made", Err: err}
	}
	identity := fmt.Sprintf("service account %s/%s, impersonated by %s/%s", k.Namespace, account, k.Namespace, k.Account)
	return acting{client: client, identity: identity}, nil
}

// look reads one thing of the cluster as the standing identity.
func look[T any](ctx context.Context, get func(context.Context, string, metav1.GetOptions) (T, error), name string) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return get(ctx, name, metav1.GetOptions{})
}

// lookAll lists things of the cluster as the standing identity.
func lookAll[T any](ctx context.Context, list func(context.Context, metav1.ListOptions) (T, error), selector string) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return list(ctx, metav1.ListOptions{LabelSelector: selector})
}

// unseen is the refusal of a plan for which the cluster could not be looked at,
// or in which what is to be changed is not there.
func unseen(doing string, err error) error {
	if apierrors.IsNotFound(err) {
		return refuse(approvals.WhyParameters, doing+": there is no such thing in the cluster: compare the names in the configuration with the cluster's")
	}
	return refuse(approvals.WhyBlind, doing+": "+clusterReason(err))
}

// clusterReason says why a call to the API server failed and what to do, without
// any of its words.
func clusterReason(err error) string {
	var status apierrors.APIStatus
	switch {
	case apierrors.IsNotFound(err):
		return "it is not there any more"
	case apierrors.IsConflict(err):
		return "somebody changed it meanwhile"
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return "the API server refuses it: compare its rights and admission policies with the output of: bot policy kubernetes"
	case errors.As(err, &status) && status.Status().Code > 0:
		return fmt.Sprintf("the API server answers %d: look at it: kubectl get --raw /readyz", status.Status().Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: look at the API server: kubectl get --raw /readyz"
	default:
		return "no answer: look at the API server: kubectl get --raw /readyz"
	}
}

// attempt is one call that changes something, with the means to tell what became
// of it when it fails or no answer comes.
type attempt struct {
	call string
	// do makes it. A *approvals.Trouble says that it was not made, and why.
	do func(context.Context) (result string, err error)
	// done looks whether the change is there.
	done func(context.Context) (bool, error)
	// why says of an error of the system, without any of its words, what it means,
	// and whether the system itself said no, so that nothing was changed.
	why func(error) (reason string, declined bool)
}

// make makes the call known, makes it, and tells the truth about it. Its errors
// are a *approvals.Trouble, or those of act.
func (a attempt) make(ctx context.Context, act approvals.Act, identity string) error {
	return act.Call(ctx, a.call, identity, func(ctx context.Context) (string, error) {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		result, err := a.do(limited)
		var trouble *approvals.Trouble
		if err == nil || errors.As(err, &trouble) {
			return result, err
		}
		return a.lookAgain(context.WithoutCancel(ctx), err)
	})
}

// lookAgain finds out what became of a call that failed or got no answer: it may
// have been made before, or made without an answer.
func (a attempt) lookAgain(ctx context.Context, failed error) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	reason, declined := a.why(failed)
	done, err := a.done(ctx)
	switch {
	case err != nil && !declined:
		text := "nobody knows whether it was done: " + reason + "; look by hand before anything else"
		return "", &approvals.Trouble{Text: text, Err: errors.Join(failed, err)}
	case err == nil && done:
		return "done already, as a look shows", nil
	default:
		return "", &approvals.Trouble{Text: "nothing was changed: " + reason, Err: failed}
	}
}

// ofCluster is the why of an attempt at the API server.
func ofCluster(err error) (reason string, declined bool) {
	var status apierrors.APIStatus
	declined = errors.As(err, &status) && status.Status().Code >= 400 && status.Status().Code < 500
	return clusterReason(err), declined
}

// waitUntil looks until it is so, ctx ends, or the time is over. An error of a look is
// borne: a look that fails says nothing. overdue is what is told when time is over.
func waitUntil(ctx context.Context, limit time.Duration, overdue func() *approvals.Trouble, look func(context.Context) (bool, error)) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		so, err := look(limited)
		var trouble *approvals.Trouble
		if so || errors.As(err, &trouble) {
			return err
		}
		select {
		case <-tick.C:
		case <-limited.Done():
			if ctx.Err() != nil {
				return &approvals.Trouble{Text: "the wait was stopped: " + overdue().Text, Err: ctx.Err()}
			}
			return overdue()
		}
	}
}

// unsealed is the precondition that Vault gives out credentials. It is none where
// no Vault is configured.
func (d Deps) unsealed(ctx context.Context) []approvals.Precondition {
	if d.Vault.Client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	c := approvals.Precondition{Text: both("Vault is unsealed, so that a new pod can log in.", "O Vault está aberto (unsealed), para que um pod novo consiga fazer login.")}
	health, err := d.Vault.Client.Sys().HealthWithContext(ctx)
	switch {
	case err != nil:
		c.Observed = "Vault does not tell"
	case !health.Initialized:
		c.Observed = "Vault is not initialised"
	case health.Sealed:
		c.Observed = "Vault is sealed"
	default:
		c.Holds, c.Observed = true, "unsealed"
	}
	return []approvals.Precondition{c}
}
