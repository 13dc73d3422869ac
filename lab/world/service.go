package world

import "tandem/lab/services"

// trustDomain is the SPIFFE trust domain of the source system.
const trustDomain = "neural-hive.local"

// service is who one of the three services is, in Kubernetes and in Vault.
type service struct {
	name           string
	namespace      string
	serviceAccount string
	vaultRole      string
	policy         string
	port           int // preferred, of its admin address
}

// catalogue lists the services in the order of their start.
func catalogue() []service {
	return []service{
		{
			name: services.ServiceRegistry, namespace: "neural-hive-core", serviceAccount: "service-registry",
			vaultRole: "service-registry", policy: "service-registry-policy", port: 18103,
		},
		{
			name: services.Worker, namespace: "neural-hive-execution", serviceAccount: "worker-agents",
			vaultRole: "worker-agents", policy: "worker-agents-policy", port: 18102,
		},
		{
			name: services.Orchestrator, namespace: "neural-hive-orchestration", serviceAccount: "orchestrator-dynamic",
			vaultRole: "orchestrator-dynamic", policy: "orchestrator-dynamic-policy", port: 18101,
		},
	}
}

// isService tells the services from what they depend on.
func isService(name string) bool {
	for _, s := range catalogue() {
		if s.name == name {
			return true
		}
	}
	return false
}

// id is the service's SPIFFE ID.
func (s service) id() string { return spiffeID(s.namespace, s.serviceAccount) }

// environment is what the lab's agent attests, as the kubelet would tell it.
func (s service) environment() map[string]string {
	return map[string]string{
		"POD_NAMESPACE": s.namespace, "POD_SERVICE_ACCOUNT": s.serviceAccount, "POD_LABELS": "app=" + s.name,
	}
}

func spiffeID(namespace, serviceAccount string) string {
	return "spiffe://" + trustDomain + "/ns/" + namespace + "/sa/" + serviceAccount
}
