package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// versionTimeout bounds a strange binary on PATH that answers nothing.
const versionTimeout = 10 * time.Second

// postgresPackages is where Debian and its children put the server's programs.
const postgresPackages = "/usr/lib/postgresql/*/bin"

// finder holds what Find depends on, so that tests can replace it.
type finder struct {
	servers  map[string]server
	getenv   func(string) string
	cacheDir string // where built binaries live
	workDir  string // where the search for the module's root starts
	packages string // glob of the folders of packaged PostgreSQL programs
	progress Progress
	build    func(ctx context.Context, b build) error
}

func newFinder(progress Progress) (finder, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return finder{}, fmt.Errorf("find the cache folder (set HOME or XDG_CACHE_HOME): %w", err)
	}
	work, err := os.Getwd()
	if err != nil {
		return finder{}, fmt.Errorf("find the working folder: %w", err)
	}
	if progress == nil {
		progress = func(string) {}
	}
	return finder{
		servers: known(), getenv: os.Getenv, cacheDir: filepath.Join(cache, "tandem", "lab"),
		workDir: work, packages: postgresPackages, progress: progress, build: goBuild,
	}, nil
}

// find looks in the variable, on PATH, in the cache, and then builds what can be
// built.
func (f finder) find(ctx context.Context, s server) (string, error) {
	if path := f.getenv(s.variable); path != "" {
		return executable(s.variable, path)
	}
	if path, ok := f.onPath(ctx, s); ok {
		return path, nil
	}
	if s.packaged != "" {
		return "", fmt.Errorf("%s %s is not installed: run `apt-get install %s`, or set %s to the program",
			s.name, s.wants, s.packaged, s.variable)
	}
	return f.built(ctx, s)
}

// onPath returns the first binary of that name on PATH whose version suits.
func (f finder) onPath(ctx context.Context, s server) (string, bool) {
	for _, dir := range filepath.SplitList(f.getenv("PATH")) {
		path, err := executable("PATH", filepath.Join(dir, s.name))
		if err != nil {
			continue
		}
		version, err := askVersion(ctx, path, s.version)
		if err == nil && s.suits(version) {
			return path, true
		}
		f.progress(fmt.Sprintf("%s: passing over %s: the lab wants version %s", s.name, path, s.wants))
	}
	return "", false
}

// askVersion runs the binary with the arguments that print its version.
func askVersion(ctx context.Context, path string, args []string) ([3]int, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return [3]int{}, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	return parseVersion(string(out))
}

// executable returns the absolute path of an executable file, or an error that
// names where the path came from.
func executable(source, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s: %s is not an executable file", source, path)
	}
	return filepath.Abs(path)
}

// postgres returns the folder of PostgreSQL's programs.
func (f finder) postgres() (string, error) {
	if dir := f.getenv("TANDEM_POSTGRES_BIN_DIR"); dir != "" {
		return dir, errors.Join(postgresIn("TANDEM_POSTGRES_BIN_DIR", dir)...)
	}
	for _, dir := range f.postgresDirs() {
		if len(postgresIn("", dir)) == 0 {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("PostgreSQL is not installed: run `apt-get install postgresql`, " +
		"or set TANDEM_POSTGRES_BIN_DIR to the folder that holds initdb and postgres")
}

// postgresDirs lists where PostgreSQL may be: PATH, then the packages, newest first.
func (f finder) postgresDirs() []string {
	packaged, _ := filepath.Glob(f.packages) // the only error is a malformed pattern
	slices.SortFunc(packaged, func(a, b string) int { return slices.Compare(majors(b), majors(a)) })
	return append(filepath.SplitList(f.getenv("PATH")), packaged...)
}

// majors takes the version out of /usr/lib/postgresql/15/bin.
func majors(dir string) []int {
	version, err := parseVersion(filepath.Base(filepath.Dir(dir)) + ".0")
	if err != nil {
		return nil
	}
	return version[:]
}

// postgresIn lists what is missing in dir; none means that it will do.
func postgresIn(source, dir string) []error {
	var missing []error
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := executable(source, filepath.Join(dir, program)); err != nil {
			missing = append(missing, err)
		}
	}
	return missing
}
