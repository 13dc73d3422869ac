package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/commands"
	"tandem/config"
)

func TestAccessOfTheExampleReachesTheBot(t *testing.T) {
	c, err := config.Load("../../config/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []commands.Rule{
		{
			Commands: []string{"diagnose"}, Services: []string{"orchestrator"}, Channels: []string{"C0INCIDENTS", commands.DirectMessages},
			People: []string{"U0123456789"}, Groups: []string{"S0123456789"},
		},
		{Services: []string{"worker"}},
		{Commands: []string{"explain", "checks"}},
	}
	if diff := cmp.Diff(want, access(c.Slack.Access)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"C0INCIDENTS": "worker"}, channels(c.Slack.Channels)); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	for _, rule := range want { // what the configuration takes is what rules can be about
		for _, command := range rule.Commands {
			if !slices.Contains(commands.Governed(), command) {
				t.Errorf("no rule can be about %s", command)
			}
		}
	}
}
