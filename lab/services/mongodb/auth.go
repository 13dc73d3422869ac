package mongodb

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	mechanism = "SCRAM-SHA-256"
	// iterations is what mongod uses for SCRAM-SHA-256.
	iterations = 15000
)

var errUnknownUser = errors.New("unknown user")

// directory holds the accounts' SCRAM keys by authentication database and name. The passwords themselves are forgotten.
type directory map[string]map[string]scram.StoredCredentials

func newDirectory(users []User) (directory, error) {
	d := directory{}
	for _, u := range users {
		db := u.AuthDB
		if db == "" {
			db = "admin"
		}
		keys, err := storedCredentials(u)
		if err != nil {
			return nil, err
		}
		if d[db] == nil {
			d[db] = map[string]scram.StoredCredentials{}
		}
		d[db][u.Name] = keys
	}
	return d, nil
}

func storedCredentials(u User) (scram.StoredCredentials, error) {
	client, err := scram.SHA256.NewClient(u.Name, u.Password, "")
	if err != nil {
		return scram.StoredCredentials{}, fmt.Errorf("prepare password of user %q: not usable in SCRAM", u.Name)
	}
	salt := make([]byte, 28)
	rand.Read(salt) // never fails: crypto/rand ends the process instead
	keys, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	if err != nil {
		return scram.StoredCredentials{}, fmt.Errorf("derive keys of user %q: %w", u.Name, err)
	}
	return keys, nil
}

// has says whether a namespaced user ("db.name") exists, for saslSupportedMechs.
func (d directory) has(namespaced string) bool {
	db := databaseOf(namespaced)
	if len(namespaced) <= len(db) {
		return false
	}
	_, ok := d[db][namespaced[len(db)+1:]]
	return ok
}

// login is the SASL conversation of one connection.
type login struct {
	directory directory
	conv      *scram.ServerConversation
	skipEmpty bool
	// authenticated stays true once the proof was right.
	authenticated bool
}

func (l *login) start(req request) bson.D {
	l.conv, l.authenticated = nil, false
	if name, _ := req.body.Lookup("mechanism").StringValueOK(); name != mechanism {
		return authenticationFailed()
	}
	users := l.directory[req.db]
	srv, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		keys, ok := users[name]
		if !ok {
			return scram.StoredCredentials{}, errUnknownUser
		}
		return keys, nil
	})
	if err != nil {
		return authenticationFailed()
	}
	l.conv = srv.NewConversation()
	l.skipEmpty, _ = req.body.Lookup("options", "skipEmptyExchange").BooleanOK()
	return l.step(req)
}

func (l *login) resume(req request) bson.D {
	if l.conv == nil {
		return authenticationFailed()
	}
	if l.authenticated { // the empty third exchange of clients that cannot skip it
		l.conv = nil
		return saslReply(nil, true)
	}
	return l.step(req)
}

func (l *login) step(req request) bson.D {
	_, payload, ok := req.body.Lookup("payload").BinaryOK()
	if !ok {
		return authenticationFailed()
	}
	answer, err := l.conv.Step(string(payload))
	if err != nil || (l.conv.Done() && !l.conv.Valid()) {
		l.conv = nil
		return authenticationFailed()
	}
	l.authenticated = l.conv.Done() && l.conv.Valid()
	return saslReply([]byte(answer), l.authenticated && l.skipEmpty)
}

func saslReply(payload []byte, done bool) bson.D {
	return bson.D{
		{Key: "conversationId", Value: int32(1)},
		{Key: "done", Value: done},
		{Key: "payload", Value: bson.Binary{Data: payload}},
		{Key: "ok", Value: 1.0},
	}
}

func authenticationFailed() bson.D {
	return commandError(18, "AuthenticationFailed", "Authentication failed.")
}
