package servers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// moduleName is the first line of the go.mod that holds the nested modules.
const moduleName = "module tandem"

// moduleRoot walks up from dir to the folder of the module tandem.
func moduleRoot(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && isTandem(content) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.mod of the module tandem in %s or above: run the lab inside a checkout", dir)
		}
	}
}

func isTandem(gomod []byte) bool {
	first, _, _ := bytes.Cut(gomod, []byte("\n"))
	return string(bytes.TrimSpace(first)) == moduleName
}

// BuildLab builds the lab's own program into path.
func BuildLab(ctx context.Context, path string, progress Progress) error {
	return buildOwn(ctx, build{name: "lab", pkg: "./lab", output: path}, progress)
}

// BuildBot builds the bot into path.
func BuildBot(ctx context.Context, path string, progress Progress) error {
	return buildOwn(ctx, build{name: "bot", pkg: "./cmd/bot", output: path}, progress)
}

func buildOwn(ctx context.Context, b build, progress Progress) error {
	f, err := newFinder(progress)
	if err != nil {
		return err
	}
	return f.buildOwn(ctx, b)
}

// buildOwn builds a program of this module.
func (f finder) buildOwn(ctx context.Context, b build) (err error) {
	if b.dir, err = moduleRoot(f.workDir); err != nil {
		return err
	}
	b.source, b.progress = "this checkout", f.progress
	return f.build(ctx, b)
}
