package probes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// MongoDB's wire protocol, as much of it as hello takes: a message is a header
// of four numbers, flags, and one section with a document.
const (
	opMsg         = 2013
	wireHeader    = 16
	wirePreamble  = wireHeader + 4 + 1 // header, flags, kind of section
	maxHelloReply = 1 << 20
)

var errNotMongoDB = errors.New("the answer is not MongoDB's")

func writeHello(w io.Writer) error {
	doc, err := bson.Marshal(bson.D{{Key: "hello", Value: int32(1)}, {Key: "$db", Value: "admin"}})
	if err != nil {
		return fmt.Errorf("encode hello: %w", err)
	}
	size := wirePreamble + len(doc)
	message := make([]byte, wirePreamble, size)
	binary.LittleEndian.PutUint32(message[0:], uint32(size)) //nolint:gosec // some 40 bytes
	binary.LittleEndian.PutUint32(message[4:], 1)            // the request's number
	binary.LittleEndian.PutUint32(message[12:], opMsg)
	_, err = w.Write(append(message, doc...))
	return err
}

func readHello(r io.Reader) (primary bool, err error) {
	header := make([]byte, wirePreamble)
	if _, err := io.ReadFull(r, header); err != nil {
		return false, err
	}
	size := int64(binary.LittleEndian.Uint32(header))
	if binary.LittleEndian.Uint32(header[12:]) != opMsg || header[wirePreamble-1] != 0 || size <= wirePreamble || size > maxHelloReply {
		return false, errNotMongoDB
	}
	doc := make([]byte, size-wirePreamble)
	if _, err := io.ReadFull(r, doc); err != nil {
		return false, err
	}
	return understandHello(doc)
}

// understandHello takes ok and isWritablePrimary, whatever their number type.
func understandHello(doc bson.Raw) (primary bool, err error) {
	var reply struct {
		OK      float64 `bson:"ok"`
		Primary *bool   `bson:"isWritablePrimary"`
	}
	if err := bson.Unmarshal(doc, &reply); err != nil || reply.OK != 1 || reply.Primary == nil {
		return false, errNotMongoDB
	}
	return *reply.Primary, nil
}
