package commands

import (
	"context"
	"testing"

	"tandem/diagnostics"
)

// counting counts the diagnoses that were begun.
type counting struct {
	fake
	begun chan struct{}
}

func (c counting) Diagnose(context.Context, string, Options) (diagnostics.Report, error) {
	c.begun <- struct{}{}
	return report(), nil
}

func TestARunThatNobodyBeginsIsForgotten(t *testing.T) {
	d := counting{begun: make(chan struct{}, 9)}
	desk := NewDesk(d, DeskOptions{})
	ana, _ := desk.Take("R1", Question{Service: "worker"})
	bruno, joined := desk.Take("R2", Question{Service: "worker"})
	if !joined || ana != bruno {
		t.Fatal("the second did not join the first")
	}
	desk.Leave(ana)
	if _, ok := desk.Find("R1"); !ok {
		t.Error("it was forgotten while somebody waits for it")
	}
	desk.Leave(bruno)
	if _, ok := desk.Find("R1"); ok {
		t.Error("it is remembered, though nobody waits for it")
	}
	if _, joined := desk.Take("R3", Question{Service: "worker"}); joined {
		t.Error("somebody joined a run that nobody will ever begin")
	}
	desk.Wait()
	if len(d.begun) != 0 || len(desk.Running()) != 0 {
		t.Errorf("%d diagnoses were begun", len(d.begun))
	}
}

func TestARunBeginsOnceAndIsKept(t *testing.T) {
	d := counting{begun: make(chan struct{}, 9)}
	desk := NewDesk(d, DeskOptions{})
	run, _ := desk.Take("R1", Question{Service: "worker"})
	again, _ := desk.Take("R2", Question{Service: "worker"})
	desk.Leave(run) // could not show it anywhere
	if first, second := desk.Start(t.Context(), again), desk.Start(t.Context(), run); !first || second {
		t.Errorf("the first to begin it: %v, the second: %v", first, second)
	}
	<-run.Done()
	desk.Leave(again)
	if _, ok := desk.Find("R1"); !ok || len(d.begun) != 1 {
		t.Errorf("remembered: %v, after %d diagnoses", ok, len(d.begun))
	}
}
