# The worker: its configuration, its database credentials, its own token.
path "secret/data/worker/*" {
  capabilities = ["read"]
}

path "database/creds/temporal-orchestrator" {
  capabilities = ["read"]
}

path "sys/leases/renew" {
  capabilities = ["update"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
