package world

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are drawn from below the kernel's own range, so that an outgoing
// connection does not take one between its choice and its use.
const (
	firstPort = 20000
	lastPort  = 32000
)

// ports hands out addresses on loopback, each once.
type ports struct {
	freeOnly bool
	taken    map[int]bool
}

func newPorts(freeOnly bool) *ports {
	return &ports{freeOnly: freeOnly, taken: map[int]bool{}}
}

// addr returns the preferred port's address if it is free, else another one.
func (p *ports) addr(preferred int) (string, error) {
	if !p.freeOnly && p.take(preferred) {
		return loopback(preferred), nil
	}
	const span = lastPort - firstPort
	start := rand.IntN(span)
	for i := range span {
		if port := firstPort + (start+i)%span; p.take(port) {
			return loopback(port), nil
		}
	}
	return "", fmt.Errorf("no port between %d and %d is free on 127.0.0.1", firstPort, lastPort)
}

// take claims the port if it was not handed out and nobody listens on it.
func (p *ports) take(port int) bool {
	if p.taken[port] {
		return false
	}
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	listener.Close()
	p.taken[port] = true
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
