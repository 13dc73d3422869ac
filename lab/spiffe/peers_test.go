package spiffe

import (
	"strings"
	"testing"
	"time"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
)

// byNode are the agents that the server lists, page by page.
func (w *world) byNode() map[string]*types.Agent {
	w.t.Helper()
	found := map[string]*types.Agent{}
	req := &agentv1.ListAgentsRequest{PageSize: 2}
	for {
		resp, err := w.agentAPI().ListAgents(w.ctx, req)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range resp.Agents {
			for _, s := range a.Selectors {
				if name, is := strings.CutPrefix(s.Value, "agent_node_name:"); is {
					found[name] = a
				}
			}
		}
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			return found
		}
	}
}

func TestPeers(t *testing.T) {
	clock := newTestClock()
	w := startWorld(t, WithClock(clock.now))
	w.put(`{"peers":["","old","banned","expired","evicted","stuck"]}`)
	agents := w.byNode()
	first := agents["neural-hive-node-1"]
	for _, tt := range []struct {
		node  string
		there bool
		is    func(*types.Agent) bool
	}{
		{"neural-hive-node-1", true, func(a *types.Agent) bool { return !a.Banned && a.AgentVersion == agentVersion }},
		{"neural-hive-node-2", true, func(a *types.Agent) bool {
			return !a.Banned && a.AgentVersion == agentVersion && a.X509SvidSerialNumber != ""
		}},
		{"neural-hive-node-3", true, func(a *types.Agent) bool { return !a.Banned && a.AgentVersion == olderVersion }},
		{"neural-hive-node-4", true, func(a *types.Agent) bool { return a.Banned && a.X509SvidSerialNumber == "" }},
		{"neural-hive-node-5", true, func(a *types.Agent) bool { return a.X509SvidExpiresAt <= clock.now().Unix() }},
		{"neural-hive-node-6", false, nil},
		{"neural-hive-node-7", true, func(a *types.Agent) bool {
			return a.X509SvidExpiresAt > clock.now().Unix() && a.X509SvidExpiresAt < first.X509SvidExpiresAt
		}},
	} {
		if a := agents[tt.node]; (a != nil) != tt.there || a != nil && !tt.is(a) {
			t.Errorf("%s is %v", tt.node, a)
		}
	}
	if _, err := w.fetchNew(); err != nil {
		t.Errorf("the first agent serves nobody, since others are not well: %v", err)
	}
	clock.add(11 * time.Second) // more than half the life of their SVIDs
	w.eventually("the healthy ones to renew, and the stuck one not to", func() bool {
		now := w.byNode()
		return now["neural-hive-node-2"].X509SvidExpiresAt > agents["neural-hive-node-2"].X509SvidExpiresAt &&
			now["neural-hive-node-7"].X509SvidExpiresAt == agents["neural-hive-node-7"].X509SvidExpiresAt
	})
	w.put(`{"peers":["","","","","",""]}`)
	for node, a := range w.byNode() {
		if a.Banned || a.X509SvidExpiresAt <= clock.now().Unix() {
			t.Errorf("%s does not mend: %v", node, a)
		}
	}
	w.healthy()
	if n := len(w.byNode()); n != 1 {
		t.Errorf("%d agents are left of one", n)
	}
}

func TestBanOfAPeerIsItsOwn(t *testing.T) {
	w := startWorld(t)
	w.put(`{"peers":[""]}`)
	peer := w.byNode()["neural-hive-node-2"]
	if _, err := w.agentAPI().BanAgent(w.ctx, &agentv1.BanAgentRequest{Id: peer.Id}); err != nil {
		t.Fatal(err)
	}
	if now := w.byNode(); !now["neural-hive-node-2"].Banned || now["neural-hive-node-1"].Banned {
		t.Errorf("agents are %v", now)
	}
	if _, err := w.fetchNew(); err != nil {
		t.Error(err)
	}
}
