package mongodb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	opReply = 1
	opQuery = 2004
	opMsg   = 2013

	headerLen = 16
	// maxMessage bounds what one message may make the server allocate. Commands of a handshake are under a few KB.
	maxMessage = 1 << 20

	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
)

var errMalformed = errors.New("malformed message")

// request is one command, whichever opcode brought it.
type request struct {
	id     int32
	opcode int32
	// body is the command document; its first key is the command's name.
	body bson.Raw
	// db is the database that the command is for.
	db string
	// oneWay is set when the client wants no answer.
	oneWay bool
}

// name is the command, as the client spelt it.
func (r request) name() string {
	elem, err := r.body.IndexErr(0)
	if err != nil {
		return ""
	}
	return elem.Key()
}

// readRequest reads one message. An io error comes back unwrapped in kind, so that the caller can tell a closed
// connection from a broken client.
func readRequest(r io.Reader) (request, error) {
	var header [headerLen]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return request{}, fmt.Errorf("read header: %w", err)
	}
	size := int32(binary.LittleEndian.Uint32(header[0:]))
	if size < headerLen || size > maxMessage {
		return request{}, fmt.Errorf("%w: length %d", errMalformed, size)
	}
	payload := make([]byte, size-headerLen)
	if _, err := io.ReadFull(r, payload); err != nil {
		return request{}, fmt.Errorf("read message: %w", err)
	}
	req, err := parsePayload(int32(binary.LittleEndian.Uint32(header[12:])), payload)
	req.id = int32(binary.LittleEndian.Uint32(header[4:]))
	return req, err
}

func parsePayload(opcode int32, payload []byte) (request, error) {
	switch opcode {
	case opMsg:
		return parseMsg(payload)
	case opQuery:
		return parseQuery(payload)
	default:
		return request{}, fmt.Errorf("%w: opcode %d", errMalformed, opcode)
	}
}

// parseMsg takes the body section of an OP_MSG. Document sequences, which only bulk writes use, are passed over.
func parseMsg(payload []byte) (request, error) {
	if len(payload) < 4 {
		return request{}, fmt.Errorf("%w: OP_MSG without flags", errMalformed)
	}
	flags := binary.LittleEndian.Uint32(payload)
	rest := payload[4:]
	if flags&flagChecksum != 0 {
		if len(rest) < 4 {
			return request{}, fmt.Errorf("%w: OP_MSG without its checksum", errMalformed)
		}
		rest = rest[:len(rest)-4]
	}
	body, err := bodySection(rest)
	if err != nil {
		return request{}, err
	}
	db, _ := body.Lookup("$db").StringValueOK()
	return request{opcode: opMsg, body: body, db: db, oneWay: flags&flagMoreToCome != 0}, nil
}

func bodySection(rest []byte) (bson.Raw, error) {
	for len(rest) > 5 {
		kind, size := rest[0], int64(binary.LittleEndian.Uint32(rest[1:]))
		if size < 4 || size > int64(len(rest)-1) {
			return nil, fmt.Errorf("%w: section of %d bytes", errMalformed, size)
		}
		if kind == 0 {
			return document(rest[1 : 1+size])
		}
		rest = rest[1+size:]
	}
	return nil, fmt.Errorf("%w: OP_MSG without a body", errMalformed)
}

// parseQuery takes the command of a legacy OP_QUERY, with which drivers still say their first hello.
func parseQuery(payload []byte) (request, error) {
	if len(payload) < 4 {
		return request{}, fmt.Errorf("%w: OP_QUERY without flags", errMalformed)
	}
	namespace, rest, err := cString(payload[4:])
	if err != nil {
		return request{}, err
	}
	const skipAndLimit = 8
	if len(rest) < skipAndLimit+5 {
		return request{}, fmt.Errorf("%w: OP_QUERY without a query", errMalformed)
	}
	rest = rest[skipAndLimit:]
	size := int64(binary.LittleEndian.Uint32(rest))
	if size > int64(len(rest)) {
		return request{}, fmt.Errorf("%w: query of %d bytes", errMalformed, size)
	}
	body, err := document(rest[:size])
	if err != nil {
		return request{}, err
	}
	return request{opcode: opQuery, body: unwrapQuery(body), db: databaseOf(namespace)}, nil
}

// unwrapQuery undoes {"$query": command, "$readPreference": …}.
func unwrapQuery(body bson.Raw) bson.Raw {
	if inner, ok := body.Lookup("$query").DocumentOK(); ok {
		return inner
	}
	return body
}

func databaseOf(namespace string) string {
	for i, c := range namespace {
		if c == '.' {
			return namespace[:i]
		}
	}
	return namespace
}

func cString(b []byte) (string, []byte, error) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:], nil
		}
	}
	return "", nil, fmt.Errorf("%w: name without an end", errMalformed)
}

func document(b []byte) (bson.Raw, error) {
	raw := bson.Raw(b)
	if err := raw.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return raw, nil
}

// encodeReply answers req in the opcode in which it asked.
func encodeReply(req request, id int32, reply bson.D) ([]byte, error) {
	body, err := bson.Marshal(reply)
	if err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	prefix, opcode := []byte{0, 0, 0, 0, 0}, int32(opMsg)
	if req.opcode == opQuery {
		// Flags, cursor, start, and the number of documents, which is one.
		prefix, opcode = make([]byte, 20), opReply
		prefix[16] = 1
	}
	out := make([]byte, 0, headerLen+len(prefix)+len(body))
	for _, field := range []int32{int32(cap(out)), id, req.id, opcode} {
		out = binary.LittleEndian.AppendUint32(out, uint32(field))
	}
	return append(append(out, prefix...), body...), nil
}
