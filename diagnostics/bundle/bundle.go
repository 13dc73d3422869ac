// Package bundle writes a diagnosis to one file that can leave the house: its
// texts without secrets, and a manifest with the hash of each part, by which
// anybody can see whether it is as it was written.
//
// A bundle is a gzipped tar. The same parts make the same bytes.
package bundle

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	manifestName = "manifest.json"
	format       = 1        // of the manifest
	maxBundle    = 64 << 20 // bytes, unpacked
)

// Part is one file of a bundle.
type Part struct {
	Name string
	Data []byte
}

// Manifest says what a bundle holds.
type Manifest struct {
	Format     int            `json:"format"`
	Run        string         `json:"run"`
	Service    string         `json:"service"`
	At         time.Time      `json:"at"` // when the diagnosis began
	Status     string         `json:"status"`
	Source     string         `json:"source"`
	Whole      bool           `json:"whole"`      // all checks, not only some
	Version    string         `json:"version"`    // of the bot that wrote the bundle
	Redactions map[string]int `json:"redactions"` // what was taken out of the texts, by kind
	Files      []Entry        `json:"files"`      // without the manifest, by name
}

// Entry is a part as it was written.
type Entry struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

func entryOf(p Part) Entry {
	return Entry{Name: p.Name, Size: len(p.Data), SHA256: Hash(p.Data)}
}

// Hash is the SHA-256 of data, in hexadecimal.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Pack returns the bundle of some parts. It fills in the format and the files of
// the manifest.
func Pack(m Manifest, parts []Part) ([]byte, error) {
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return cmp.Compare(a.Name, b.Name) })
	m.Format, m.Files = format, make([]Entry, 0, len(parts))
	for _, p := range parts {
		m.Files = append(m.Files, entryOf(p))
	}
	manifest, err := JSON(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, p := range append([]Part{{manifestName, manifest}}, parts...) {
		header := &tar.Header{Name: p.Name, Mode: 0o644, Size: int64(len(p.Data)), ModTime: m.At.UTC().Truncate(time.Second), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("write %s to the bundle: %w", p.Name, err)
		}
		if _, err := archive.Write(p.Data); err != nil {
			return nil, fmt.Errorf("write %s to the bundle: %w", p.Name, err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		return nil, fmt.Errorf("write the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// JSON is a value as a part holds it: indented, and as people write it.
func JSON(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode a part of the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// Fault is a part that is not as the manifest says.
type Fault struct {
	Name string
	Kind FaultKind
}

// FaultKind says what is wrong with a part.
type FaultKind string

// The kinds.
const (
	Changed FaultKind = "changed"
	Missing FaultKind = "missing"
	Extra   FaultKind = "extra" // the manifest has no such part, or the bundle has it twice
)

// Verify reads a bundle and says what in it is not as it was written. The error
// says, in a few words of English, why it is no bundle at all.
func Verify(data []byte) (Manifest, []Fault, error) {
	parts, err := unpack(data)
	if err != nil {
		return Manifest{}, nil, err
	}
	if len(parts) == 0 || parts[0].Name != manifestName {
		return Manifest{}, nil, errors.New("it does not begin with " + manifestName)
	}
	var m Manifest
	if err := json.Unmarshal(parts[0].Data, &m); err != nil {
		return Manifest{}, nil, errors.New("its " + manifestName + " cannot be read")
	}
	if m.Format != format {
		return Manifest{}, nil, fmt.Errorf("its manifest has format %d, and this bot knows %d", m.Format, format)
	}
	return m, faults(m, parts[1:]), nil
}

// unpack returns the parts in their order.
func unpack(data []byte) ([]Part, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("it is not gzipped")
	}
	plain, err := io.ReadAll(io.LimitReader(zipped, maxBundle+1)) // to its end, where its checksum is
	if len(plain) > maxBundle {
		return nil, fmt.Errorf("it is larger than %d MiB", maxBundle>>20)
	}
	if err != nil {
		return nil, errDamaged
	}
	archive := tar.NewReader(bytes.NewReader(plain))
	var parts []Part
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, errDamaged
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, errDamaged
		}
		parts = append(parts, Part{Name: header.Name, Data: content})
	}
}

var errDamaged = errors.New("it is cut off or damaged")

// faults compares parts with what the manifest says of them, in its order.
func faults(m Manifest, parts []Part) []Fault {
	var all []Fault
	seen := map[string]bool{}
	for _, p := range parts {
		i := slices.IndexFunc(m.Files, func(e Entry) bool { return e.Name == p.Name })
		switch {
		case i < 0 || seen[p.Name]:
			all = append(all, Fault{p.Name, Extra})
		case m.Files[i] != entryOf(p):
			all = append(all, Fault{p.Name, Changed})
		}
		seen[p.Name] = true
	}
	for _, e := range m.Files {
		if !seen[e.Name] {
			all = append(all, Fault{e.Name, Missing})
		}
	}
	return all
}
