package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClearingOrder(t *testing.T) {
	for _, c := range []struct{ injected, want []string }{
		{nil, nil},
		{[]string{"kv-missing", "agent-dead"}, []string{"agent-dead", "kv-missing"}},
		{
			[]string{"vault-down", "kv-missing", "vault-sealed", "agent-dead"},
			[]string{"vault-down", "vault-sealed", "agent-dead", "kv-missing"},
		},
		{[]string{"of another version", "vault-down"}, []string{"vault-down", "of another version"}},
	} {
		if diff := cmp.Diff(c.want, clearingOrder(c.injected)); diff != "" {
			t.Errorf("%v: %s", c.injected, diff)
		}
	}
}

func TestClearAllTriesAgainWhatOthersHindered(t *testing.T) {
	var cleared []string
	err := clearAll([]string{"entry", "server", "never"}, func(name string) error {
		if name == "never" || name == "entry" && !slices.Contains(cleared, "server") {
			return errors.New(name + " fails")
		}
		cleared = append(cleared, name)
		return nil
	})
	if diff := cmp.Diff([]string{"server", "entry"}, cleared); diff != "" {
		t.Error(diff)
	}
	if err == nil || strings.Contains(err.Error(), "entry") || strings.Count(err.Error(), "never") != 1 {
		t.Errorf("error %v, want the one that is never cleared, once", err)
	}
}
