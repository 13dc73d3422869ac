package mongodb

import (
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	serverVersion = "7.0.14"
	// maxWireVersion is that of MongoDB 7.0.
	maxWireVersion = 21
	replicaSet     = "rs0"
)

// conversation is what one connection may say and has said.
type conversation struct {
	id    int32
	addr  string
	login login
}

// answer is the reply to one command. notPrimary makes the member say that it is a secondary, as after a step-down.
func (c *conversation) answer(req request, notPrimary bool) bson.D {
	name := strings.ToLower(req.name())
	switch name {
	case "hello", "ismaster":
		return c.hello(req, notPrimary)
	case "ping":
		return okReply()
	case "buildinfo":
		return bson.D{{Key: "version", Value: serverVersion}, {Key: "versionArray", Value: bson.A{7, 0, 14, 0}}, {Key: "ok", Value: 1.0}}
	case "saslstart":
		return c.login.start(req)
	case "saslcontinue":
		return c.login.resume(req)
	}
	return c.authenticatedAnswer(name, req)
}

func (c *conversation) authenticatedAnswer(name string, req request) bson.D {
	switch {
	case !c.login.authenticated:
		return commandError(13, "Unauthorized", fmt.Sprintf("Command %s requires authentication", printable(req.name())))
	case name == "endsessions" || name == "logout":
		return okReply()
	default:
		return commandError(59, "CommandNotFound", fmt.Sprintf("no such command: '%s'", printable(req.name())))
	}
}

// hello describes a single-member replica set, so that a step-down looks as it does in production.
func (c *conversation) hello(req request, notPrimary bool) bson.D {
	primaryField := "isWritablePrimary"
	if strings.EqualFold(req.name(), "isMaster") {
		primaryField = "ismaster"
	}
	reply := bson.D{
		{Key: primaryField, Value: !notPrimary},
		{Key: "secondary", Value: notPrimary},
		{Key: "helloOk", Value: true},
		{Key: "setName", Value: replicaSet},
		{Key: "setVersion", Value: int32(1)},
		{Key: "hosts", Value: bson.A{c.addr}},
		{Key: "me", Value: c.addr},
		{Key: "maxBsonObjectSize", Value: int32(16 << 20)},
		{Key: "maxMessageSizeBytes", Value: int32(maxMessage)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)},
		{Key: "localTime", Value: bson.NewDateTimeFromTime(time.Now())},
		{Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		{Key: "connectionId", Value: c.id},
		{Key: "minWireVersion", Value: int32(0)},
		{Key: "maxWireVersion", Value: int32(maxWireVersion)},
		{Key: "readOnly", Value: false},
	}
	if user, ok := req.body.Lookup("saslSupportedMechs").StringValueOK(); ok && c.login.directory.has(user) {
		reply = append(reply, bson.E{Key: "saslSupportedMechs", Value: bson.A{mechanism}})
	}
	return append(reply, bson.E{Key: "ok", Value: 1.0})
}

func okReply() bson.D { return bson.D{{Key: "ok", Value: 1.0}} }

func commandError(code int32, name, text string) bson.D {
	return bson.D{
		{Key: "ok", Value: 0.0},
		{Key: "errmsg", Value: text},
		{Key: "code", Value: code},
		{Key: "codeName", Value: name},
	}
}

// printable keeps a client's bytes from being echoed as control characters or at any length.
func printable(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return clean[:min(len(clean), 64)]
}
