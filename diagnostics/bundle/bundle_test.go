package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2026, 11, 28, 9, 0, 0, 123, time.UTC)

func sample() (Manifest, []Part) {
	return Manifest{Run: "1ngqrvdmy", Service: "worker", At: at, Status: "fail", Version: "v1", Redactions: map[string]int{"token": 2}},
		[]Part{{"report.en.txt", []byte("it fails\n")}, {"a.json", []byte("{}\n")}}
}

func pack(t *testing.T, m Manifest, parts []Part) []byte {
	t.Helper()
	data, err := Pack(m, parts)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestABundleIsAsItWasWritten(t *testing.T) {
	m, parts := sample()
	data := pack(t, m, parts)
	got, faults, err := Verify(data)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	m.Format = 1
	m.Files = []Entry{
		{"a.json", 3, "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"},
		{"report.en.txt", 9, Hash([]byte("it fails\n"))},
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
	slices.Reverse(parts)
	if !bytes.Equal(data, pack(t, m, parts)) {
		t.Error("the same parts make other bytes")
	}
}

// repack writes parts as they are given: a forger's bundle.
func repack(t *testing.T, parts ...Part) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, p := range parts {
		if err := archive.WriteHeader(&tar.Header{Name: p.Name, Mode: 0o644, Size: int64(len(p.Data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(p.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestVerifySaysWhatDiffers(t *testing.T) {
	m, parts := sample()
	whole, err := unpack(pack(t, m, parts))
	if err != nil {
		t.Fatal(err)
	}
	manifest, a, report := whole[0], whole[1], whole[2]
	other := Part{report.Name, []byte("it works\n")}
	for name, tc := range map[string]struct {
		parts []Part
		want  []Fault
	}{
		"one is changed":  {[]Part{manifest, a, other}, []Fault{{report.Name, Changed}}},
		"one is missing":  {[]Part{manifest, report}, []Fault{{a.Name, Missing}}},
		"one is extra":    {[]Part{manifest, a, report, {"x", nil}}, []Fault{{"x", Extra}}},
		"one comes twice": {[]Part{manifest, a, report, other}, []Fault{{report.Name, Extra}}},
		"two manifests":   {[]Part{manifest, a, report, manifest}, []Fault{{manifestName, Extra}}},
		"all are missing": {[]Part{manifest}, []Fault{{a.Name, Missing}, {report.Name, Missing}}},
	} {
		if _, got, err := Verify(repack(t, tc.parts...)); err != nil || !cmp.Equal(tc.want, got) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestVerifySaysWhatIsNoBundle(t *testing.T) {
	m, parts := sample()
	good := pack(t, m, parts)
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 1
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":         {nil, "not gzipped"},
		"text":            {[]byte("hello"), "not gzipped"},
		"cut off":         {good[:len(good)/2], "cut off or damaged"},
		"a flipped bit":   {bad, "cut off or damaged"},
		"no manifest":     {repack(t, parts...), "does not begin with manifest.json"},
		"empty":           {repack(t), "does not begin with manifest.json"},
		"a bad manifest":  {repack(t, Part{manifestName, []byte("{")}), "manifest.json cannot be read"},
		"of a newer bot":  {repack(t, Part{manifestName, []byte(`{"format": 2}`)}), "format 2"},
		"larger than any": {repack(t, Part{manifestName, make([]byte, maxBundle)}), "larger than 64 MiB"},
	} {
		if _, _, err := Verify(tc.data); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: it says %v, want %q", name, err, tc.want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	m, parts := sample()
	data, err := Pack(m, parts)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, faults, err := Verify(data)
		if err == nil && len(faults) == 0 && m.Format != format {
			t.Errorf("a bundle without faults has format %d", m.Format)
		}
	})
}
