package world

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"syscall"
)

// spec says how one part runs.
type spec struct {
	name    string
	path    string
	args    []string
	env     map[string]string // in addition to the few that every part gets
	address string            // for people
	logFile string

	// config is written to configFile before each start, if there is one.
	config     any
	configFile string

	credential *syscall.Credential // nil runs as the lab's own user
	stopSignal syscall.Signal      // zero is SIGTERM

	ready func(ctx context.Context) error // nil error when it serves
	after func(ctx context.Context) error // what a restart needs besides, may be nil
}

// Override changes one start of a part; the next start without one is as
// configured.
type Override struct {
	// Env is added to the environment.
	Env map[string]string `json:"env,omitempty"`
	// Config is merged into the part's configuration, as in RFC 7396.
	Config map[string]any `json:"config,omitempty"`
}

// combined folds several overrides into one, the later winning.
func combined(overrides []Override) Override {
	var all Override
	for _, o := range overrides {
		all.Env = merge(all.Env, o.Env)
		all.Config = mergePatch(all.Config, o.Config)
	}
	return all
}

func merge(base, more map[string]string) map[string]string {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, more)
	return merged
}

// with returns the spec of one start under the override.
func (s spec) with(override Override) (spec, error) {
	s.env = merge(s.env, override.Env)
	if len(override.Config) == 0 {
		return s, nil
	}
	merged, err := mergeConfig(s.config, override.Config)
	if err != nil {
		return s, fmt.Errorf("merge the configuration of %s: %w", s.name, err)
	}
	s.config = merged
	return s, nil
}

// writeConfig puts the configuration where the part reads it.
func (s spec) writeConfig() error {
	if s.configFile == "" {
		return nil
	}
	content, err := json.MarshalIndent(s.config, "", "  ")
	if err != nil {
		return fmt.Errorf("write the configuration of %s: %w", s.name, err)
	}
	return writeFile(s.configFile, append(content, '\n'))
}

// mergeConfig applies a JSON merge patch to anything that marshals to an object.
func mergeConfig(config any, patch map[string]any) (map[string]any, error) {
	content, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	var base map[string]any
	if err := json.Unmarshal(content, &base); err != nil {
		return nil, err
	}
	return mergePatch(base, patch), nil
}

// mergePatch is RFC 7396: null removes, objects merge, all else replaces.
func mergePatch(base, patch map[string]any) map[string]any {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range patch {
		nested, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(merged, key)
		case isObject:
			below, _ := merged[key].(map[string]any)
			merged[key] = mergePatch(below, nested)
		default:
			merged[key] = value
		}
	}
	return merged
}
