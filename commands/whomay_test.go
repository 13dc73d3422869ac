package commands

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDecide(t *testing.T) {
	broken := errors.New("missing_scope")
	member := func(group string) (bool, error) {
		switch group {
		case "SRE":
			return true, nil
		case "BROKEN":
			return true, broken // whoever asks is not let in by it
		default:
			return false, nil
		}
	}
	ana := Person{ID: "ANA", Standing: Member}
	here := Request{Command: "diagnose", Service: "worker", Channel: "C1"}
	others := Rule{People: []string{"BRUNO"}}
	elsewhere := Rule{Channels: []string{"C2", DirectMessages}}
	broke := Rule{Groups: []string{"BROKEN"}}
	for name, c := range map[string]struct {
		who   Person
		what  Request
		rules []Rule
		want  Decision
	}{
		"no rules":                   {ana, here, nil, Decision{Allowed: true}},
		"a rule for all":             {ana, here, []Rule{{}}, Decision{Allowed: true}},
		"a guest":                    {Person{ID: "ANA", Standing: Guest}, here, nil, Decision{Reason: NotAMember}},
		"nobody known":               {Person{ID: "ANA"}, here, []Rule{{}}, Decision{Reason: NotAMember}},
		"a guest who is named":       {Person{ID: "ANA", Standing: Guest}, here, []Rule{{People: []string{"ANA"}}}, Decision{Reason: NotAMember}},
		"a guest who asks for help":  {Person{ID: "ANA", Standing: Guest}, Request{Command: "help"}, nil, Decision{Reason: NotAMember}},
		"help":                       {ana, Request{Command: "help", Channel: "C1"}, []Rule{others}, Decision{Allowed: true}},
		"whoami":                     {ana, Request{Command: "whoami"}, []Rule{others}, Decision{Allowed: true}},
		"named":                      {ana, here, []Rule{{People: []string{"BRUNO", "ANA"}}}, Decision{Allowed: true}},
		"in a group":                 {ana, here, []Rule{{Groups: []string{"OPS", "SRE"}}}, Decision{Allowed: true}},
		"named, the group is broken": {ana, here, []Rule{{People: []string{"ANA"}, Groups: []string{"BROKEN"}}}, Decision{Allowed: true}},
		"the second rule":            {ana, here, []Rule{others, {Services: []string{"worker"}, Channels: []string{"C1"}}}, Decision{Allowed: true}},
		"another person":             {ana, here, []Rule{others}, Decision{Reason: OthersMay, Who: []Rule{others}}},
		"another service":            {ana, here, []Rule{{Services: []string{"orchestrator"}}}, Decision{Reason: NobodyMay}},
		"another command":            {ana, here, []Rule{{Commands: []string{"checks"}}}, Decision{Reason: NobodyMay}},
		"another place":              {ana, here, []Rule{others, elsewhere}, Decision{Reason: NotHere, Who: []Rule{elsewhere}}},
		"a broken group":             {ana, here, []Rule{broke}, Decision{Reason: OthersMay, Who: []Rule{broke}, Unread: []UnreadGroup{{"BROKEN", broken}}}},
		"direct":                     {ana, Request{Command: "diagnose", Service: "worker", Channel: DirectMessages}, []Rule{elsewhere}, Decision{Allowed: true}},
		"direct is a place":          {ana, Request{Command: "diagnose", Service: "worker", Channel: DirectMessages}, []Rule{{Channels: []string{"C1"}}}, Decision{Reason: NotHere, Who: []Rule{{Channels: []string{"C1"}}}}},
		"about no service":           {ana, Request{Command: "explain", Channel: "C1"}, []Rule{{Services: []string{"orchestrator"}}}, Decision{Allowed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Decide(c.who, c.what, c.rules, member)
			if diff := cmp.Diff(c.want, got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryChatCommandHasItsName(t *testing.T) {
	app, err := newApp(&chatGrammar{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range leaves(app.Model.Node) {
		if got := CommandName(leaf.Target.Interface().(Command)); got != leaf.Name {
			t.Errorf("rules call %s %s", leaf.Name, got)
		}
	}
}
