package probes

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"tandem/diagnostics"
)

// MongoHostsArgs name hosts.
type MongoHostsArgs struct {
	Hosts []string `cel:"hosts"` // host:port
}

// MongoHosts is how hosts answered a greeting, in the order in which they were
// named.
type MongoHosts struct {
	Hosts     []MongoHost `cel:"hosts"`
	Reachable int64       `cel:"reachable"`
	Primaries int64       `cel:"primaries"`
}

// MongoHost is one host.
type MongoHost struct {
	Address   string `cel:"address"`
	Reachable bool   `cel:"reachable"`
	Problem   string `cel:"problem"` // "", refused, timeout, dns, not_mongodb
	Primary   bool   `cel:"primary"` // takes writes
}

type mongodbProbes struct {
	uris map[string]func(context.Context) (string, error)
	tls  *tls.Config
	now  func() time.Time
}

const (
	mongoHostsKey     = "services.NAME.mongodb.hosts"
	mongoTimeout      = 3 * time.Second
	mongoPort         = "27017"
	problemNotMongoDB = "not_mongodb"
)

// hosts is blind when no host answers and one of them could be well.
func (p mongodbProbes) hosts(ctx context.Context, args MongoHostsArgs) (MongoHosts, []diagnostics.Evidence, error) {
	if len(args.Hosts) == 0 {
		return MongoHosts{}, nil, notConfigured("where MongoDB is", mongoHostsKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	facts := MongoHosts{Hosts: make([]MongoHost, len(args.Hosts))}
	trails := make([]*trail, len(args.Hosts))
	parallel(len(args.Hosts), func(i int) {
		trails[i] = &trail{source: "mongodb", now: p.now}
		facts.Hosts[i] = p.host(ctx, trails[i], args.Hosts[i])
	})
	for _, h := range facts.Hosts {
		if h.Reachable {
			facts.Reachable++
		}
		if h.Primary {
			facts.Primaries++
		}
	}
	return facts, joined(trails), blindHosts(facts)
}

// blindHosts is nil when the facts suffice to judge.
func blindHosts(facts MongoHosts) error {
	if facts.Reachable > 0 {
		return nil
	}
	for _, h := range facts.Hosts {
		if h.Problem == problemRefused {
			continue
		}
		reason := problemReason(h.Problem)
		if h.Problem == problemNotMongoDB {
			reason = diagnostics.ReasonGarbage
		}
		return &diagnostics.BlindError{
			Reason: reason,
			Detail: "hello to " + h.Address + ": " + problemText(h.Problem),
			Next: diagnostics.Both("check the network between the bot and MongoDB, whether it wants TLS, and "+mongoHostsKey,
				"verifique a rede entre o bot e o MongoDB, se ele exige TLS, e "+mongoHostsKey),
		}
	}
	return nil
}

// host greets one host.
func (p mongodbProbes) host(ctx context.Context, t *trail, address string) MongoHost {
	h := MongoHost{Address: address}
	show := shell("mongosh", "--quiet", "mongodb://"+address+"/?directConnection=true", "--eval", "db.hello()")
	ctx, cancel := context.WithTimeout(ctx, mongoTimeout)
	defer cancel()
	primary, err := p.hello(ctx, address)
	if err == nil {
		h.Reachable, h.Primary = true, primary
		t.add(show, "answers, takes writes: %t", primary)
		return h
	}
	if h.Problem = networkProblem(err); h.Problem == problemOther || h.Problem == problemTLS {
		h.Problem = problemNotMongoDB
	}
	t.add(show, "%s", blindNetwork("hello", diagnostics.Text{}, err).Detail)
	return h
}

// hello says hello over a connection of its own and reports whether the host
// takes writes.
func (p mongodbProbes) hello(ctx context.Context, address string) (bool, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), mongoPort)
	}
	conn, err := p.dial(ctx, address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	// A deadline of the connection ends reads; the context alone would not.
	deadline, _ := ctx.Deadline()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetDeadline(deadline); err != nil {
		return false, err
	}
	if err := writeHello(conn); err != nil {
		return false, err
	}
	return readHello(conn)
}

func (p mongodbProbes) dial(ctx context.Context, address string) (net.Conn, error) {
	if p.tls != nil {
		return (&tls.Dialer{Config: p.tls}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}
