package remedies

import (
	"fmt"
	"strings"
)

// Login is how the remedies' roles are logged in to: by one of these, or by
// several, the first of which works. Those that are nil are not used.
type Login struct {
	JWT        *JWTLogin
	AppRole    *AppRoleLogin
	Kubernetes *KubernetesLogin
}

// JWTLogin is by the bot's JWT-SVID.
type JWTLogin struct{ Mount, Audience, Subject string }

// AppRoleLogin is by role id and secret id. The role id is the role's name, so
// that only the secret id is to be handed over.
type AppRoleLogin struct{ Mount string }

// KubernetesLogin is by the service account of the bot's pod.
type KubernetesLogin struct{ Mount, Namespace, ServiceAccount string }

// Write is one write to Vault, with which an operator makes a role.
type Write struct {
	Path string         `json:"path"`
	Data map[string]any `json:"data"`
}

// Manifest is all that an operator applies for one remedy.
type Manifest struct {
	Remedy string  `json:"remedy"`
	Role   string  `json:"role"`   // and the name of its policy
	Policy string  `json:"policy"` // in HCL
	Writes []Write `json:"writes"`
}

// Manifest is the role with the ways to log in to it, as data.
func (r Role) Manifest(l Login) Manifest {
	return Manifest{Remedy: r.Remedy, Role: r.Name, Policy: r.Policy(), Writes: r.Writes(l)}
}

// Script is the same for a POSIX shell with the vault command, logged in as
// somebody who may write policies and roles. It may be run again.
func (r Role) Script(l Login) string {
	m := r.Manifest(l)
	parts := []string{
		fmt.Sprintf("# %s: a token of its role is good for %d calls, within %s.", m.Remedy, r.Uses, minutes(r.MaxTTL)),
		hereDocument(shell("vault", "policy", "write", m.Role, "-"), m.Policy),
	}
	for _, w := range m.Writes {
		parts = append(parts, hereDocument(shell("vault", "write", w.Path, "-"), jsonOf(w.Data)))
	}
	if l.AppRole != nil {
		path := "auth/" + trim(l.AppRole.Mount) + "/role/" + r.Name + "/secret-id"
		parts = append(parts, "# Its secret id, for the file "+r.Name+" where the bot keeps them:\n# "+
			shell("vault", "write", "-f", "-field=secret_id", path))
	}
	return strings.Join(parts, "\n") + "\n"
}

// Writes make the role, for each way to log in to it.
func (r Role) Writes(l Login) []Write {
	var all []Write
	if l.JWT != nil {
		all = append(all, r.write("auth/"+trim(l.JWT.Mount)+"/role/"+r.Name, map[string]any{
			"role_type": "jwt", "user_claim": "sub",
			"bound_subject": l.JWT.Subject, "bound_audiences": []string{l.JWT.Audience},
		}))
	}
	if l.Kubernetes != nil {
		all = append(all, r.write("auth/"+trim(l.Kubernetes.Mount)+"/role/"+r.Name, map[string]any{
			"bound_service_account_names":      []string{l.Kubernetes.ServiceAccount},
			"bound_service_account_namespaces": []string{l.Kubernetes.Namespace},
		}))
	}
	if l.AppRole != nil {
		path := "auth/" + trim(l.AppRole.Mount) + "/role/" + r.Name
		all = append(all, r.write(path, map[string]any{"bind_secret_id": true}),
			Write{Path: path + "/role-id", Data: map[string]any{"role_id": r.Name}})
	}
	return all
}

// write adds what every privilege has in common: it is short, good for a few
// calls, and has nothing beside its own policy.
func (r Role) write(path string, data map[string]any) Write {
	seconds := int(r.MaxTTL.Seconds())
	data["token_policies"] = []string{r.Name}
	data["token_no_default_policy"] = true
	data["token_type"] = "service" // batch tokens know neither uses nor revocation
	data["token_ttl"], data["token_explicit_max_ttl"] = seconds, seconds
	data["token_num_uses"] = r.Uses
	return Write{Path: path, Data: data}
}

func trim(mount string) string { return strings.Trim(mount, "/") }
