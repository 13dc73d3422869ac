package world

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// errNoLab is the answer when nothing runs in a folder.
var errNoLab = errors.New("no lab is running there")

// errBetween is the answer when the lab in a folder is not whole.
var errBetween = errors.New("still starting or stopping")

// socketRoom is what a folder may be long for a socket in it to have a legal
// address: the kernel takes 107 bytes.
const socketRoom = 85

// folder is the layout of Options.Dir.
type folder string

func (f folder) path(parts ...string) string {
	return filepath.Join(append([]string{string(f)}, parts...)...)
}

func (f folder) lockFile() string        { return f.path("lock") }
func (f folder) stateFile() string       { return f.path("world.json") }
func (f folder) readyFile() string       { return f.path("ready") }
func (f folder) envFile() string         { return f.path("env") }
func (f folder) faultsFile() string      { return f.path("faults.json") }
func (f folder) botDir() string          { return f.path("bot") }
func (f folder) kubernetesDir() string   { return f.path("kubernetes") }
func (f folder) botConfigFile() string   { return f.path("tandem.yaml") }
func (f folder) log(name string) string  { return f.path("logs", name+".log") }
func (f folder) conf(name string) string { return f.path("config", name+".json") }

// owned lists all that a world makes in its folder, but for the lock.
func (f folder) owned() []string {
	return []string{
		f.readyFile(), f.stateFile(), f.envFile(), f.botConfigFile(),
		f.faultsFile(), // or the faults of a dead world would be cleared in this one
		f.path("logs"), f.path("config"), f.path("data"), f.botDir(), f.kubernetesDir(), f.path("run"),
	}
}

// clear removes what an earlier world left, and makes the subfolders.
func (f folder) clear() error {
	for _, path := range f.owned() {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove what an earlier lab left: %w", err)
		}
	}
	for _, name := range []string{"logs", "config", "data", "bot", "bot/policies", "bot/remedies", "run"} {
		if err := os.MkdirAll(f.path(name), 0o755); err != nil {
			return fmt.Errorf("make the lab's folder: %w", err)
		}
	}
	return os.Chmod(f.botDir(), 0o700)
}

// forget removes what says that a lab runs here.
func (f folder) forget() error {
	var errs []error
	for _, path := range []string{f.readyFile(), f.stateFile()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// disarm removes what lets people and the bot enter a lab that has ended: its
// tokens, and addresses that may be somebody else's next. The logs stay for
// reading.
func (f folder) disarm() error {
	var errs []error
	for _, path := range []string{f.envFile(), f.botConfigFile(), f.botDir(), f.kubernetesDir()} {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}

// claim makes this process the folder's only lab until the file is closed. The
// kernel lets go of the lock when the process dies, however it dies.
func (f folder) claim() (*os.File, error) {
	if err := f.acceptable(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return nil, fmt.Errorf("make the lab's folder: %w", err)
	}
	file, err := os.OpenFile(f.lockFile(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lab's lock: %w", err)
	}
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		file.Close()
		return nil, fmt.Errorf("a lab is already running in %s (pid %s); stop it with: go run ./lab down%s",
			shown(string(f)), f.owner(), DirFlag(string(f)))
	}
	return file, writeOwner(file)
}

// acceptable refuses a folder with other people's files, since clear deletes.
func (f folder) acceptable() error {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) || len(entries) == 0 && err == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the lab's folder: %w", err)
	}
	if _, err := os.Stat(f.lockFile()); err != nil {
		return fmt.Errorf("%s holds files and was not made by the lab: choose an empty folder with --dir", f)
	}
	return nil
}

// running says whether some process holds the folder's lock.
func (f folder) running() bool {
	file, err := os.Open(f.lockFile())
	if err != nil {
		return false
	}
	defer file.Close()
	return unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}

// owner returns the pid in the lock file, for people to read.
func (f folder) owner() string {
	content, err := os.ReadFile(f.lockFile())
	if pid := strings.TrimSpace(string(content)); err == nil && pid != "" {
		return pid
	}
	return "unknown"
}

func writeOwner(file *os.File) error {
	err := file.Truncate(0)
	if err == nil {
		_, err = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("write the lab's lock: %w", err)
	}
	return nil
}

// socketDir returns a folder whose sockets have legal addresses: the world's
// own, or a short one in the system's temporary folder if that is too deep.
func (f folder) socketDir() (string, error) {
	if own := f.path("run"); len(own) <= socketRoom {
		return own, nil
	}
	dir, err := os.MkdirTemp("", "tandem-lab-")
	if err != nil {
		return "", fmt.Errorf("make a folder for sockets: %w", err)
	}
	return dir, nil
}

// writeFile writes a file that only its owner reads, whole or not at all.
func writeFile(path string, content []byte) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return err
	}
	return os.Rename(partial, path)
}

// shown is the folder as people wrote it: relative where that is shorter.
func shown(dir string) string {
	working, err := os.Getwd()
	if err != nil {
		return dir
	}
	if relative, err := filepath.Rel(working, dir); err == nil && len(relative) < len(dir) {
		return relative
	}
	return dir
}

// DirFlag is the flag that names the folder to the lab's commands, with a blank
// before it; it is empty for the default folder.
func DirFlag(dir string) string {
	if short := shown(dir); short != DefaultDir {
		return " --dir " + short
	}
	return ""
}
