package remedies

// Database is the dynamic credential of a service.
type Database struct {
	Mount, Role string
	Config      string // name of the connection at Vault
}

// DatabaseRole is a reviewed role of a database engine, whole.
type DatabaseRole struct {
	Mount, Name string
	DBName      string
	DefaultTTL  string // as Vault takes it, like 1h
	MaxTTL      string
	Creation    []string
	Renew       []string
	Revocation  []string
	Rollback    []string
}
