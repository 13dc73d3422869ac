package probes

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Two replicas behind one address, of which one keeps the keys of before a
// rotation: each new connection meets the other.
func TestJWKSReplicas(t *testing.T) {
	const old, current = `{"keys":[{"kid":"a"}]}`, `{"keys":[{"kid":"b"},{"kid":"a"}]}`
	var n atomic.Int64
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    JWKSReplicas
	}{
		"alike":  {answer(200, current), JWKSReplicas{Asked: 6, Answered: 6, Sets: 1}},
		"broken": {answer(500, current), JWKSReplicas{Asked: 6}},
		"differ": {func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%2 == 0 {
				answer(200, old)(w, r)
				return
			}
			answer(200, current)(w, r)
		}, JWKSReplicas{Asked: 6, Answered: 6, Sets: 2, Differing: []string{"b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := spiffeProbes{SPIFFE: SPIFFE{JWKSURL: serve(t, c.handler).URL}, now: now}
			facts, evidence, err := p.jwksReplicas(soon(t), JWKSArgs{})
			wantSeen(t, facts, evidence, err)
			if diff := cmp.Diff(c.want, facts); diff != "" {
				t.Error(diff)
			}
		})
	}
}
