package picture

import (
	"bytes"
	"flag"
	"image/png"
	"math"
	"os"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

var keep = flag.String("keep", "", "a file to write the picture to, to be looked at")

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// wave is a series of half an hour, with a gap in it.
func wave(label string, high float64) guide.Series {
	s := guide.Series{Label: label}
	for i := range 60 {
		if i < 20 || i > 30 {
			s.Points = append(s.Points, guide.Point{At: noon.Add(time.Duration(i-60) * 30 * time.Second), V: high * (1 + math.Sin(float64(i)/6)) / 2})
		}
	}
	return s
}

func readings() []guide.Reading {
	one := func(metric string, unit guide.Unit, status diagnostics.Status, limits guide.Limits, series ...guide.Series) guide.Reading {
		return guide.Reading{Measure: guide.Measure{Metric: metric, Unit: unit, Limits: limits}, Service: "orchestrator", Status: status, Series: series}
	}
	nan := math.NaN()
	dot := guide.Series{Points: []guide.Point{{At: noon.Add(-time.Minute), V: 3}}}
	return []guide.Reading{
		one("up", guide.Share, diagnostics.Pass, guide.Limits{Warn: 1, Fail: 0.001, Below: true}, wave("", 1)),
		one("vault_requests_total", guide.Share, diagnostics.Fail, guide.Limits{Warn: 0, Fail: 0.05}, wave("", 0.25)),
		one("vault_request_duration_seconds", guide.Seconds, diagnostics.Pass, guide.Limits{Warn: 1, Fail: 5}, wave("read_secret", 0.02), wave("get_database_credentials", 0.4)),
		one("vault_token_ttl_seconds", guide.Seconds, diagnostics.Warn, guide.Limits{Warn: 1800, Fail: nan, Below: true}, wave("", 1200)),
		one("vault_token_renewals_total", guide.PerSecond, diagnostics.Pass, guide.Limits{Warn: 0, Fail: 1}, wave("", 0)),
		one("worker_vault_renewal_task_runs_total", guide.Number, diagnostics.Unknown, guide.Limits{Warn: nan, Fail: 0.5, Below: true}, dot),
		one("nothing", guide.Number, diagnostics.Unknown, guide.Limits{}),
	}
}

func caption(r guide.Reading) string { return r.Metric + "\n" + r.Service + ": " + string(r.Status) }

func TestDraw(t *testing.T) {
	data, err := Draw(readings(), noon.Add(-30*time.Minute), noon, caption)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X < 1000 || size.X > 2000 || size.Y < 400 || len(data) > 500_000 {
		t.Errorf("%v, %d bytes", size, len(data))
	}
	for x := range img.Bounds().Dx() { // its own background, to the edges
		if _, _, _, a := img.At(x, 0).RGBA(); a != 0xFFFF {
			t.Fatalf("the picture is transparent at %d", x)
		}
	}
	if *keep != "" {
		if err := os.WriteFile(*keep, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDrawIsBounded(t *testing.T) {
	many := make([]guide.Reading, 0, 1000)
	for range 1000 {
		many = append(many, readings()[1])
	}
	data, err := Draw(many, noon.Add(-30*time.Minute), noon, caption)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || c.Height > 3000 {
		t.Errorf("%+v, %v", c, err)
	}
	if data, err := Draw(readings()[6:], noon, noon, caption); data != nil || err != nil {
		t.Errorf("nothing is drawn as %d bytes, %v", len(data), err)
	}
}
