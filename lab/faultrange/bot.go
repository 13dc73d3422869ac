package faultrange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"tandem/diagnostics"
)

// Bot is the program under test, with the configuration of the lab.
type Bot struct{ Path, Config string }

// diagnoseTime is more than a diagnosis may take by its own bounds.
const diagnoseTime = time.Minute

// Diagnose runs `bot diagnose SERVICE` and reads its report.
func (b Bot) Diagnose(ctx context.Context, service string) (diagnostics.View, error) {
	ctx, cancel := context.WithTimeout(ctx, diagnoseTime)
	defer cancel()
	var view diagnostics.View
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, b.Path, "diagnose", service, "--output", "json", "--config", b.Config)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return view, fmt.Errorf("run bot diagnose %s: %w", service, err)
	}
	if err := json.Unmarshal(stdout.Bytes(), &view); err != nil {
		return view, fmt.Errorf("bot diagnose %s gave no report: %w\n%s", service, err, stderr.String())
	}
	return view, nil
}

// causes are the codes that a verdict names, in its order.
func causes(view diagnostics.View) []string {
	codes := []string{}
	for _, c := range view.Verdict.Causes {
		codes = append(codes, c.Code)
	}
	return codes
}

// unseen are the codes of what could not be looked at.
func unseen(view diagnostics.View) []string {
	codes := []string{}
	for _, c := range view.Checks {
		if c.Status == diagnostics.Unknown {
			codes = append(codes, c.Code)
		}
	}
	return codes
}
