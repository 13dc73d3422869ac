package config

import (
	"cmp"
	"time"
)

// Defaults of remedies, where the file says nothing.
const (
	DefaultRemediesNamespace = "tandem"
	DefaultRemediesAccount   = "tandem"
	DefaultEndToEndDeadline  = 10 * time.Minute
)

// Cluster is the Kubernetes cluster that the services run in.
type Cluster struct {
	// Kubeconfig with the bot's own account, which only reads; the service account of the bot's pod unless set.
	Kubeconfig Path `yaml:"kubeconfig"`
}

// Remedies are what the bot may carry out after an approval, and by which
// privilege. What is not named here, or under services, is never touched.
type Remedies struct {
	// Vault is how the bot logs in to the role of one remedy, for that remedy alone.
	Vault *RemedyLogin `yaml:"vault"`
	// Policies are files with the reviewed texts of services' policies at Vault, by their names.
	Policies map[VaultName]Path `yaml:"policies"`
	// DatabaseRoles are reviewed roles of Vault's database engine, by their names.
	DatabaseRoles map[VaultName]*DatabaseRole `yaml:"database_roles"`
	// SPIRE is how entries are changed and SPIRE's pods are restarted.
	SPIRE *RemedySPIRE `yaml:"spire"`
	// Kubernetes is where the service accounts of the remedies are.
	Kubernetes *RemedyCluster `yaml:"kubernetes"`
	// EndToEnd is the end-to-end check: a Job, or a command beside the bot.
	EndToEnd *EndToEnd `yaml:"end_to_end"`
}

// VaultName is what Vault calls a policy or a role.
type VaultName string

// RemedyLogin are the ways to log in to a remedy's role, tried in this order:
// the later ones are for when SPIRE is what is broken.
type RemedyLogin struct {
	// JWTSVID logs in with the bot's own SPIFFE identity.
	JWTSVID *RemedyJWTSVID `yaml:"jwt_svid"`
	// AppRole logs in with a secret id; the role id is the role's name.
	AppRole *RemedyAppRole `yaml:"approle"`
	// Kubernetes logs in with the pod's service account.
	Kubernetes *RemedyKubernetesLogin `yaml:"kubernetes"`
}

// RemedyJWTSVID is a login with the bot's own SPIFFE identity.
type RemedyJWTSVID struct {
	// Mount of the auth method; jwt unless set.
	Mount string `yaml:"mount" check:"vault"`
	// Audience that the roles expect in the JWT-SVID.
	Audience string `yaml:"audience" check:"required,plain"`
	// Subject is the bot's SPIFFE ID, which the roles are bound to.
	Subject string `yaml:"subject" check:"required,spiffe,plain"`
}

// RemedyAppRole is a login with a secret id.
type RemedyAppRole struct {
	// Mount of the auth method; approle unless set.
	Mount string `yaml:"mount" check:"vault"`
	// SecretIDs is a folder with a secret id for each role, in a file of the role's name.
	SecretIDs Path `yaml:"secret_ids" check:"required"`
}

// RemedyKubernetesLogin is a login with the pod's service account.
type RemedyKubernetesLogin struct {
	// Mount of the auth method; kubernetes unless set.
	Mount string `yaml:"mount" check:"vault"`
	// Namespace of the bot's pod; tandem unless set.
	Namespace string `yaml:"namespace" check:"plain"`
	// ServiceAccount of the bot's pod; tandem unless set.
	ServiceAccount string `yaml:"service_account" check:"plain"`
	// TokenFile is the service account's token; the usual place unless set.
	TokenFile Path `yaml:"token_file"`
}

// DatabaseRole is a reviewed role of Vault's database engine. It is written whole.
type DatabaseRole struct {
	// Mount of the engine, like database.
	Mount string `yaml:"mount" check:"required,vault"`
	// DBName is the name of the connection in Vault.
	DBName string `yaml:"db_name" check:"required,vault"`
	// DefaultTTL of a lease.
	DefaultTTL time.Duration `yaml:"default_ttl" check:"required"`
	// MaxTTL of a lease.
	MaxTTL time.Duration `yaml:"max_ttl" check:"required"`
	// Creation statements, with {{name}}, {{password}} and {{expiration}}.
	Creation []string `yaml:"creation_statements" check:"required,filled"`
	// Renew statements; without them the end of a user is not moved in PostgreSQL.
	Renew []string `yaml:"renew_statements" check:"filled"`
	// Revocation statements; Vault's own unless set.
	Revocation []string `yaml:"revocation_statements" check:"filled"`
	// Rollback statements; Vault's own unless set.
	Rollback []string `yaml:"rollback_statements" check:"filled"`
}

// RemedySPIRE is how entries are changed and SPIRE's pods are restarted.
type RemedySPIRE struct {
	// AdminAddress of the SPIRE server that takes changes: its local socket, or
	// host:port for an admin X509-SVID. It is connected to only to carry out what is approved.
	AdminAddress Endpoint `yaml:"admin_address"`
	// Entries are the declared registration entries: nothing else is ever written.
	Entries []Entry `yaml:"entries" check:"filled"`
	// Agents is the DaemonSet of the agents.
	Agents *Workload `yaml:"agents"`
	// Server is the StatefulSet of the server.
	Server *Workload `yaml:"server"`
}

// Entry is a declared registration entry of SPIRE.
type Entry struct {
	// SPIFFEID that it issues.
	SPIFFEID string `yaml:"spiffe_id" check:"required,spiffe,plain"`
	// ParentID is the SPIFFE ID of the agents, or of their node alias.
	ParentID string `yaml:"parent_id" check:"required,spiffe,plain"`
	// Selectors of the workload, like k8s:ns:a.
	Selectors []string `yaml:"selectors" check:"required,filled,plain"`
	// JWTSVIDTTL is the life of its JWT-SVIDs; the server's unless set.
	JWTSVIDTTL time.Duration `yaml:"jwt_svid_ttl"`
	// X509SVIDTTL is the life of its X509-SVIDs; the server's unless set.
	X509SVIDTTL time.Duration `yaml:"x509_svid_ttl"`
	// DNSNames of its X509-SVIDs.
	DNSNames []string `yaml:"dns_names" check:"filled,plain"`
	// Hint that workloads with several identities choose by.
	Hint string `yaml:"hint" check:"plain"`
}

// Workload names a workload of the cluster.
type Workload struct {
	// Namespace that it is in.
	Namespace string `yaml:"namespace" check:"required,plain"`
	// Name of the Deployment, DaemonSet or StatefulSet.
	Name string `yaml:"name" check:"required,plain"`
}

// RemedyCluster is where the service accounts of the remedies are.
type RemedyCluster struct {
	// Namespace of the bot and of the remedies' service accounts; tandem unless set.
	Namespace string `yaml:"namespace" check:"plain"`
	// Account is the bot's own service account there; tandem unless set.
	Account string `yaml:"account" check:"plain"`
}

// EndToEnd is the end-to-end check; exactly one field is set.
type EndToEnd struct {
	// Job runs it in the cluster.
	Job *EndToEndJob `yaml:"job"`
	// Command runs it beside the bot, without a shell.
	Command *EndToEndCommand `yaml:"command"`
}

// EnvName is the name of an environment variable.
type EnvName string

// EndToEndJob runs the check in the cluster. Its output holds a JUnit report.
type EndToEndJob struct {
	// Namespace that it runs in.
	Namespace string `yaml:"namespace" check:"required,plain"`
	// Image that it runs.
	Image string `yaml:"image" check:"required,plain"`
	// ServiceAccount that it runs as; the namespace's default one unless set.
	ServiceAccount string `yaml:"service_account" check:"plain"`
	// Args of the image's own command.
	Args []string `yaml:"args"`
	// Env of it; no secrets.
	Env map[EnvName]string `yaml:"env"`
	// Deadline after which it is ended; 10m unless set.
	Deadline time.Duration `yaml:"deadline" check:"expires"`
}

// EndToEndCommand runs the check beside the bot.
type EndToEndCommand struct {
	// Path of the program.
	Path Path `yaml:"path" check:"required"`
	// Args that it is given.
	Args []string `yaml:"args"`
	// Dir that it runs in.
	Dir Path `yaml:"dir"`
	// Env of it; no secrets.
	Env map[EnvName]string `yaml:"env"`
	// JUnit is the report that it writes; in its output unless set.
	JUnit Path `yaml:"junit"`
	// Deadline after which it is ended; 10m unless set.
	Deadline time.Duration `yaml:"deadline" check:"expires"`
}

func (r *Remedies) setDefaults() {
	if r.Vault != nil {
		r.Vault.setDefaults()
	}
	if k := r.Kubernetes; k != nil {
		k.Namespace, k.Account = cmp.Or(k.Namespace, DefaultRemediesNamespace), cmp.Or(k.Account, DefaultRemediesAccount)
	}
	if e := r.EndToEnd; e != nil && e.Job != nil {
		e.Job.Deadline = cmp.Or(e.Job.Deadline, DefaultEndToEndDeadline)
	}
	if e := r.EndToEnd; e != nil && e.Command != nil {
		e.Command.Deadline = cmp.Or(e.Command.Deadline, DefaultEndToEndDeadline)
	}
}

func (l *RemedyLogin) setDefaults() {
	if l.JWTSVID != nil {
		l.JWTSVID.Mount = cmp.Or(l.JWTSVID.Mount, DefaultJWTMount)
	}
	if l.AppRole != nil {
		l.AppRole.Mount = cmp.Or(l.AppRole.Mount, DefaultAppRoleMount)
	}
	if k := l.Kubernetes; k != nil {
		k.Mount, k.TokenFile = cmp.Or(k.Mount, DefaultKubeMount), cmp.Or(k.TokenFile, DefaultKubeTokenFile)
		k.Namespace = cmp.Or(k.Namespace, DefaultRemediesNamespace)
		k.ServiceAccount = cmp.Or(k.ServiceAccount, DefaultRemediesAccount)
	}
}
