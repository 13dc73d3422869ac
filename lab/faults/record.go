package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tandem/lab/world"
)

// record is what the lab's folder remembers of the faults, across commands.
type record struct {
	Injected []string                  `json:"injected"` // names
	Kept     map[string]map[string]any `json:"kept"`     // by path: what was at Vault before it was deleted
}

func recordFile(w *world.World) string { return filepath.Join(w.State().Dir, "faults.json") }

func readRecord(w *world.World) (record, error) {
	r := record{Kept: map[string]map[string]any{}}
	data, err := os.ReadFile(recordFile(w))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("read the record of faults: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read the record of faults in %s: %w", recordFile(w), err)
	}
	return r, nil
}

func (r record) write(w *world.World) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the record of faults: %w", err)
	}
	if err := os.WriteFile(recordFile(w), data, 0o600); err != nil {
		return fmt.Errorf("write the record of faults: %w", err)
	}
	return nil
}

// Injected lists the names of the faults that are in the world now.
func Injected(w *world.World) ([]string, error) {
	r, err := readRecord(w)
	return r.Injected, err
}

// Note records that a fault was injected or cleared.
func Note(w *world.World, name string, injected bool) error {
	r, err := readRecord(w)
	if err != nil {
		return err
	}
	r.Injected = slices.DeleteFunc(r.Injected, func(n string) bool { return n == name })
	if injected {
		r.Injected = append(r.Injected, name)
	}
	return r.write(w)
}

// keep remembers what was at a path. Read durations are plain seconds, and
// Vault takes them back as such.
func keep(w *world.World, path string, data map[string]any) error {
	r, err := readRecord(w)
	if err != nil {
		return err
	}
	r.Kept[path] = withoutEmpty(data)
	return r.write(w)
}

func kept(w *world.World, path string) (map[string]any, error) {
	r, err := readRecord(w)
	return r.Kept[path], err
}

// withoutEmpty drops what Vault shows and does not take back: fields that are
// null, and the older names of token fields.
func withoutEmpty(data map[string]any) map[string]any {
	writable := map[string]any{}
	for key, value := range data {
		if value == nil || strings.HasPrefix(key, "policies") {
			continue
		}
		writable[key] = value
	}
	return writable
}
