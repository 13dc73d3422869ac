package probes

import (
	"context"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"tandem/diagnostics"
)

// endpoint takes an address as people write it apart: unix:///path,
// tcp://host:port or host:port.
func endpoint(address string) (network, where string) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return "unix", "/" + strings.TrimLeft(path, "/")
	}
	return "tcp", strings.TrimPrefix(address, "tcp://")
}

// knock opens and closes a connection: gRPC reports a missing socket, a refused
// connection and a broken server all as Unavailable.
func knock(ctx context.Context, address string) error {
	network, where := endpoint(address)
	conn, err := (&net.Dialer{}).DialContext(ctx, network, where)
	if err != nil {
		return err
	}
	return conn.Close()
}

// connect makes a gRPC connection to an address that knock found open.
func connect(address string, creds credentials.TransportCredentials) (*grpc.ClientConn, error) {
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	network, where := endpoint(address)
	target := "passthrough:///" + where
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, where)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(creds), grpc.WithContextDialer(dial)}
	if network == "unix" {
		options = append(options, grpc.WithAuthority("localhost")) // a path is no authority
	}
	return grpc.NewClient(target, options...)
}

// blindGRPC says why a call gave no answer.
func blindGRPC(doing string, next diagnostics.Text, err error) *diagnostics.BlindError {
	st, ok := status.FromError(err)
	if !ok {
		return blindNetwork(doing, next, err)
	}
	return &diagnostics.BlindError{
		Reason: grpcReason(st.Code()),
		Detail: doing + ": " + st.Code().String() + ": " + clean(st.Message(), maxDetail),
		Next:   next,
		Err:    redacted{err},
	}
}

func grpcReason(code codes.Code) diagnostics.Reason {
	switch code {
	case codes.DeadlineExceeded, codes.Canceled:
		return diagnostics.ReasonTimeout
	case codes.PermissionDenied, codes.Unauthenticated:
		return diagnostics.ReasonDenied
	case codes.ResourceExhausted:
		return diagnostics.ReasonThrottled
	case codes.Unavailable, codes.Internal:
		return diagnostics.ReasonUnavailable
	case codes.Unimplemented:
		return diagnostics.ReasonGarbage
	}
	return diagnostics.ReasonError
}
