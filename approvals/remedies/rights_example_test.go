package remedies_test

import (
	"fmt"

	"tandem/approvals/remedies"
)

// What an operator applies, so that token-renew has a privilege to take.
func ExampleRole_Script() {
	deps := remedies.Deps{Services: []remedies.Service{{Name: "worker", Policies: []string{"worker-agents-policy"}}}}
	login := remedies.Login{AppRole: &remedies.AppRoleLogin{Mount: "approle"}}
	for _, role := range remedies.Roles(deps) {
		fmt.Print(role.Script(login))
	}
	// Output:
	// # token-renew: a token of its role is good for 2 calls, within 5 min.
	// vault policy write tandem-token-renew - <<'EOF'
	// path "auth/token/renew-accessor" {
	//   capabilities = ["update"]
	//   allowed_parameters = {
	//     "accessor" = []
	//     "increment" = []
	//   }
	// }
	//
	// path "auth/token/revoke-self" {
	//   capabilities = ["update"]
	// }
	// EOF
	// vault write auth/approle/role/tandem-token-renew - <<'EOF'
	// {"bind_secret_id":true,"token_explicit_max_ttl":300,"token_no_default_policy":true,"token_num_uses":2,"token_policies":["tandem-token-renew"],"token_ttl":300,"token_type":"service"}
	// EOF
	// vault write auth/approle/role/tandem-token-renew/role-id - <<'EOF'
	// {"role_id":"tandem-token-renew"}
	// EOF
	// # Its secret id, for the file tandem-token-renew where the bot keeps them:
	// # vault write -f -field=secret_id auth/approle/role/tandem-token-renew/secret-id
}
