package world

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// The values of a plain `lab up`.
const (
	DefaultDir = ".lab"
	DefaultTTL = time.Minute
)

// minTTL leaves Vault room to renew: it counts in whole seconds.
const minTTL = 5 * time.Second

// Options say how a world starts. The zero value is a plain `lab up`.
type Options struct {
	// Dir holds everything that the world writes. Default .lab.
	Dir string
	// TTL is the life of tokens, leases and SVIDs. Default a minute.
	TTL time.Duration
	// Progress is told what goes on, a line at a time. It may be called from
	// several goroutines, one call at a time.
	Progress func(line string)
	// FreePorts takes any free ports, not the well-known ones: for tests.
	FreePorts bool
	// LabBinary is the lab's own program. Empty builds it from this module.
	LabBinary string
	// Bot is the bot's program. Empty builds it from this module; NoBot leaves
	// Slack without one.
	Bot   string
	NoBot bool
	// NoKubernetes leaves the API server out, and with it all that is asked of it.
	NoKubernetes bool
}

func (o Options) complete() (Options, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	if o.TTL < minTTL {
		return o, fmt.Errorf("the TTL is %s: it must be %s or more, or nothing can be renewed in time", o.TTL, minTTL)
	}
	if o.TTL%time.Second != 0 {
		return o, errors.New("the TTL must be whole seconds, since Vault counts in seconds")
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("find the folder %s: %w", o.Dir, err)
	}
	o.Dir = dir
	return o, nil
}
