# The bot that diagnoses. It reads metadata and key names, never a value: there
# is no secret/data here, and database/creds would make a user.
path "secret/metadata/orchestrator/*" {
  capabilities = ["read"]
}

path "secret/subkeys/orchestrator/*" {
  capabilities = ["read"]
}

path "database/roles/temporal-orchestrator" {
  capabilities = ["read"]
}

path "database/config/temporal-db" {
  capabilities = ["read"]
}

path "auth/jwt/config" {
  capabilities = ["read"]
}

path "auth/jwt/role/*" {
  capabilities = ["read"]
}

path "sys/policies/acl/orchestrator-dynamic-policy" {
  capabilities = ["read"]
}

path "sys/policies/acl/worker-agents-policy" {
  capabilities = ["read"]
}

path "sys/policies/acl/service-registry-policy" {
  capabilities = ["read"]
}

path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

path "sys/capabilities-accessor" {
  capabilities = ["update"]
}

path "sys/capabilities-self" {
  capabilities = ["update"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
