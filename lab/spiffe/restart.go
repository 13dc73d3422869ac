package spiffe

import (
	"errors"
)

// errBanned is why a banned agent does not start: the server refuses to attest it.
var errBanned = errors.New("the agent is banned: it is refused until an admin unbans or evicts it")

// RestartAgent does what a new pod of the agent does. The agent lets go of what it kept in memory, comes back with its
// socket, and attests anew: that mends an agent that is down, whose SVID expired, that was evicted, or whose bundle does
// not follow. A banned one stays as it is.
func (s *Server) RestartAgent() error {
	if state := s.node.shown(); s.faults.get().AgentState == AgentBanned || state != nil && state.Banned {
		return errBanned
	}
	err := s.ChangeFaults(func(f Faults) (Faults, error) {
		f.AgentDown = AgentMissing
		return f, nil
	})
	s.agent.forgetJWTs()
	return errors.Join(err, s.ChangeFaults(func(f Faults) (Faults, error) {
		f.AgentDown, f.AgentState, f.AgentBundleFrozen = "", "", false
		return f, nil
	}))
}

// RestartServer does what a new pod of the server does: the server and the OIDC provider beside it end and start again.
// Keys and entries are on its disk and stay; a server whose signing key had expired makes a new one.
func (s *Server) RestartServer() error {
	err := s.ChangeFaults(func(f Faults) (Faults, error) {
		f.ServerDown, f.OIDCDown = true, true
		return f, nil
	})
	return errors.Join(err, s.ChangeFaults(func(f Faults) (Faults, error) {
		f.ServerDown, f.ServerHang, f.ServerUnhealthy, f.SVIDExpired = false, false, false, false
		f.OIDCDown, f.OIDCFrozen, f.OIDCGarbage = false, false, false
		return f, nil
	}))
}
