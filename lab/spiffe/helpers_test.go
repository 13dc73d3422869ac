package spiffe

import (
	"context"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// testClock stands still but for what a test adds, so that a slow machine changes nothing.
type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func newTestClock() *testClock { return &testClock{t: time.Now()} }

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *testClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// x509Watch reads the certificates of the caller's first SVID as they are pushed.
type x509Watch struct {
	w      *world
	pushed chan *x509.Certificate
	ended  chan error
}

func (w *world) watchX509() *x509Watch {
	w.t.Helper()
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(w.ctx, securityHeader, "true"))
	stream, err := workload.NewSpiffeWorkloadAPIClient(w.dial(w.WorkloadAddr())).FetchX509SVID(ctx, &workload.X509SVIDRequest{})
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	out := &x509Watch{w: w, pushed: make(chan *x509.Certificate), ended: make(chan error, 1)}
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			resp, err := stream.Recv()
			if err != nil {
				out.ended <- err
				return
			}
			cert, err := x509.ParseCertificate(resp.Svids[0].X509Svid)
			if err != nil {
				out.ended <- err
				return
			}
			select {
			case out.pushed <- cert:
			case <-ctx.Done():
				return
			}
		}
	})
	w.t.Cleanup(func() {
		cancel()
		reader.Wait()
	})
	return out
}

func (x *x509Watch) next() *x509.Certificate {
	x.w.t.Helper()
	select {
	case cert := <-x.pushed:
		return cert
	case err := <-x.ended:
		x.w.t.Fatal(err)
	case <-x.w.ctx.Done():
		x.w.t.Fatal("nothing was pushed")
	}
	return nil
}

func entryFor(t *testing.T, path string, selectors ...string) *types.Entry {
	t.Helper()
	parsed, err := parseSelectors(selectors)
	if err != nil {
		t.Fatal(err)
	}
	return &types.Entry{
		SpiffeId: protoID(t, "spiffe://"+testDomain+path), ParentId: protoID(t, "spiffe://"+testDomain+"/cluster/neural-hive"),
		Selectors: parsed,
	}
}

// create registers an entry and fails the test unless it is new.
func (w *world) create(api entryv1.EntryClient, e *types.Entry) *types.Entry {
	w.t.Helper()
	resp, err := api.BatchCreateEntry(w.ctx, &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{e}})
	if err != nil {
		w.t.Fatal(err)
	}
	if got := resp.Results[0].Status; codes.Code(got.Code) != codes.OK {
		w.t.Fatalf("create %v: %v", e, got)
	}
	return resp.Results[0].Entry
}

func spiffeDomain(t testing.TB) spiffeid.TrustDomain {
	t.Helper()
	td, err := spiffeid.TrustDomainFromString(testDomain)
	if err != nil {
		t.Fatal(err)
	}
	return td
}
