package remedies

import (
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

func TestClusterPolicyFollowsTheConfiguration(t *testing.T) {
	if _, err := ClusterPolicy(Deps{}); err == nil {
		t.Error("rights without a cluster")
	}
	d := Deps{Kubernetes: Kubernetes{Namespace: "ops", Account: "bot"}, Services: []Service{{Name: "a"}}}
	looks := string(must[[]byte](t)(ClusterPolicy(d)))
	for _, word := range []string{"impersonate", "patch", "delete", "create", "ValidatingAdmissionPolicy"} {
		if strings.Contains(looks, word) {
			t.Errorf("a bot without remedies in the cluster has: %s", word)
		}
	}
	d.Services = []Service{{Name: "a", Workload: &Workload{"apps", "web"}}, {Name: "b", Workload: &Workload{"apps", "db"}}}
	all := string(must[[]byte](t)(ClusterPolicy(d)))
	if strings.Contains(all, "*") || strings.Contains(all, "status:") || strings.Count(all, "kind: ValidatingAdmissionPolicy\n") != 1 || strings.Count(all, "tandem-spire") != 0 {
		t.Errorf("printed:\n%s", all)
	}
	if again := string(must[[]byte](t)(ClusterPolicy(d))); again != all {
		t.Error("it is printed in another order")
	}
}

// Nobody who has not configured something gets a panic for it.
func TestRemediesBeyondVaultSayWhatIsNotConfigured(t *testing.T) {
	workload := &Workload{"a", "b"}
	for name, d := range map[string]Deps{
		"nothing":    {},
		"a service":  {Services: []Service{{Name: "a"}}},
		"no cluster": {Services: []Service{{Name: "a", Workload: workload}}, SPIRE: SPIRE{AgentSet: workload, ServerSet: workload, Server: "unix:///x"}, EndToEnd: EndToEnd{Job: &Job{}}},
	} {
		for _, r := range beyondVault(d) {
			_, err := r.Plan(soon(t), approvals.Want{Service: "a"})
			if why := refusal(t, err); why != approvals.WhyNoRemedy && (name != "nothing" || why != approvals.WhyParameters) {
				t.Errorf("%s: %s: %s", name, r.Name, why)
			}
			if r.Title.EN == "" || r.Title.PT == "" || r.About.EN == "" || r.About.PT == "" {
				t.Errorf("%s is not told in both languages", r.Name)
			}
		}
	}
}

func TestUnsealedIsAsked(t *testing.T) {
	if c := (Deps{}).unsealed(soon(t)); len(c) != 0 {
		t.Errorf("no Vault: %+v", c)
	}
	b := &bench{address: startVault(t)}
	b.root = b.client(t)
	d := Deps{Vault: Vault{Client: b.root}}
	observed := func() string {
		c := d.unsealed(soon(t))[0]
		if c.Holds != (c.Observed == "unsealed") {
			t.Errorf("%+v", c)
		}
		return c.Observed
	}
	await(t, func() error { _, err := b.root.Sys().HealthWithContext(soon(t)); return err })
	if got := observed(); got != "Vault is not initialised" {
		t.Error(got)
	}
	b.open(t)
	if got := observed(); got != "unsealed" {
		t.Error(got)
	}
	check(t, b.root.Sys().SealWithContext(soon(t)))
	if got := observed(); got != "Vault is sealed" {
		t.Error(got)
	}
	d.Vault.Client = must[*api.Client](t)(api.NewClient(&api.Config{Address: "http://127.0.0.1:1", MaxRetries: 0}))
	if got := observed(); got != "Vault does not tell" {
		t.Error(got)
	}
}
