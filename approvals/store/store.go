// Package store keeps requests, the audit chain, freezes, leases and jobs in
// SQLite or PostgreSQL.
package store
