package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/probes"
)

// postgresDeps makes connections as the configuration says. The password is
// read for each of them.
func postgresDeps(c *config.Postgres) probes.Postgres {
	connect := func(ctx context.Context) (*pgx.Conn, error) {
		settings, err := postgresSettings(c)
		if err != nil {
			return nil, err
		}
		return pgx.ConnectConfig(ctx, settings)
	}
	return probes.Postgres{Connect: connect, DSN: shownDSN(c)}
}

func postgresSettings(c *config.Postgres) (*pgx.ConnConfig, error) {
	dsn, said, err := connection(c)
	if err != nil {
		return nil, err
	}
	if names := foreignVariables(said); names != "" {
		return nil, unreadable(fmt.Errorf("postgres: the environment has %s, which would change the connection", names),
			diagnostics.Both("unset that for the bot; what it is to say can be a part of the secret of postgres.dsn",
				"remova isso do ambiente do bot; o que precisa ser dito pode ser parte do segredo de postgres.dsn"))
	}
	settings, err := pgx.ParseConfig(dsn)
	if err != nil { // the parser's text can repeat the password
		return nil, unreadable(errors.New("postgres: not a connection string that PostgreSQL knows"),
			diagnostics.Both("write it like postgres://user:password@host:5432/name", "escreva como postgres://usuario:senha@host:5432/nome"))
	}
	if password, given := said["password"]; given && c.DSN.IsZero() {
		settings.Password = password
	}
	settings.DefaultQueryExecMode = pgx.QueryExecModeExec // a connection asks once: preparing is a round trip for nothing
	settings.RuntimeParams["application_name"] = "tandem"
	settings.RuntimeParams["default_transaction_read_only"] = "on"
	return settings, nil
}

// connection is what the configuration says of the connection: as a text, and
// as the keys that it says. Of single fields, the password is a key only.
func connection(c *config.Postgres) (dsn string, said map[string]string, err error) {
	if !c.DSN.IsZero() {
		secret, err := c.DSN.Read()
		if err != nil {
			return "", nil, unreadable(err, diagnostics.Both("give the bot its login to PostgreSQL", "dê ao bot o login dele no PostgreSQL"))
		}
		return secret.Reveal(), dsnKeys(secret.Reveal()), nil
	}
	dsn = postgresURL(c, "")
	said = dsnKeys(dsn)
	said["password"] = "" // none, also where the environment or ~/.pgpass has one
	if !c.Password.IsZero() {
		secret, err := c.Password.Read()
		if err != nil {
			return "", nil, unreadable(err, diagnostics.Both("give the bot its password for PostgreSQL", "dê ao bot a senha dele no PostgreSQL"))
		}
		said["password"] = secret.Reveal()
	}
	return dsn, said, nil
}

// postgresURL is the connection as a URL without a password.
func postgresURL(c *config.Postgres, rootCert string) string {
	query := url.Values{"sslmode": {c.SSLMode}}
	if rootCert != "" {
		query.Set("sslrootcert", rootCert)
	}
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Path: "/" + c.DBName}
	if strings.HasPrefix(c.Host, "/") { // the folder of a socket
		query.Set("host", c.Host)
		query.Set("port", strconv.Itoa(c.Port))
	} else {
		u.Host = net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// shownDSN is the connection for evidence, without the password.
func shownDSN(c *config.Postgres) string {
	if c.DSN.IsZero() {
		return postgresURL(c, "")
	}
	settings, err := postgresSettings(c)
	if err != nil {
		return "postgres://"
	}
	_, said, err := connection(c)
	if err != nil {
		return "postgres://"
	}
	return postgresURL(&config.Postgres{
		Host: settings.Host, Port: int(settings.Port), User: settings.User, DBName: settings.Database,
		SSLMode: cmp.Or(said["sslmode"], config.DefaultSSLMode),
	}, said["sslrootcert"])
}
