package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	headerSignature = "X-Slack-Signature"
	headerTimestamp = "X-Slack-Request-Timestamp"
	headerRetry     = "X-Slack-Retry-Num"

	// signedFor is how far Slack's clock and ours may differ, in both directions.
	signedFor = 300 * time.Second
)

// signature is the proof that a request is Slack's: an HMAC over a time and the
// body.
type signature struct {
	sum [sha256.Size]byte
	at  string
}

// readSignature reads the signature of a request that has exactly one, of now,
// or says why it is dropped.
func readSignature(h http.Header, now time.Time) (signature, drop) {
	signatures, times := h[headerSignature], h[headerTimestamp]
	if len(signatures) != 1 || len(times) != 1 {
		return signature{}, dropUnsigned
	}
	digits, ok := strings.CutPrefix(signatures[0], "v0=")
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return signature{}, dropUnsigned
	}
	s := signature{at: times[0]}
	if _, err := hex.Decode(s.sum[:], []byte(digits)); err != nil {
		return signature{}, dropUnsigned
	}
	seconds, err := strconv.ParseInt(s.at, 10, 64)
	if err != nil {
		return signature{}, dropUnsigned
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > signedFor {
		return signature{}, dropStale
	}
	return s, ""
}

// prefix is what Slack signs before the body.
func (s signature) prefix() string { return "v0:" + s.at + ":" }

// verifier knows the app's signing secrets: one, or two while one replaces the
// other. It is safe for use by several goroutines.
type verifier struct{ hashes []*sync.Pool }

func newVerifier(secrets []string) *verifier {
	v := &verifier{}
	for _, secret := range secrets {
		if secret == "" {
			continue // with it anybody could sign
		}
		v.hashes = append(v.hashes, &sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(secret)) }})
	}
	return v
}

// verify says whether the signature is by one of the secrets over signed, which is
// the prefix and the body.
func (v *verifier) verify(s signature, signed []byte) bool {
	for _, pool := range v.hashes {
		if s.matches(pool, signed) {
			return true
		}
	}
	return false
}

func (s signature) matches(pool *sync.Pool, signed []byte) bool {
	h := pool.Get().(hash.Hash)
	defer pool.Put(h)
	h.Reset()
	h.Write(signed)
	var sum [sha256.Size]byte
	return hmac.Equal(h.Sum(sum[:0]), s.sum[:])
}
