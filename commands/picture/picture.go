// Package picture draws what metrics say as a PNG: a small chart for each
// number, with its limit. The picture brings its own background, so that it is
// legible where the page around it is light or dark, and says nothing by colour
// alone.
package picture

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// Most is how many charts a picture has room for.
const Most = 24

const (
	columns = 3
	width   = 5 * vg.Inch / 2 // of a chart
	height  = 3 * vg.Inch / 2
	margin  = vg.Inch / 8
	dpi     = 144
)

// The colours keep a contrast of 4.5 and more on the background.
var (
	background = color.RGBA{0xFF, 0xFF, 0xFF, 0xFF}
	ink        = color.RGBA{0x1F, 0x23, 0x28, 0xFF}
	faint      = color.RGBA{0xD0, 0xD7, 0xDE, 0xFF}
	limitInk   = color.RGBA{0xB0, 0x00, 0x20, 0xFF}
)

// lines tell series apart, for the colour-blind too.
var lines = []color.RGBA{
	{0x00, 0x5A, 0x9C, 0xFF},
	{0xA8, 0x4C, 0x00, 0xFF},
	{0x00, 0x6B, 0x4F, 0xFF},
	{0x8E, 0x3A, 0x7C, 0xFF},
	{0x4D, 0x4D, 0x4D, 0xFF},
	{0x6B, 0x5D, 0x00, 0xFF},
	{0x00, 0x66, 0x80, 0xFF},
	{0x99, 0x33, 0x33, 0xFF},
}

// Draw makes a PNG of the first readings that have anything to draw, at most Most.
// A caption stands over each chart. Without any reading there is no picture: nil.
func Draw(readings []guide.Reading, since, until time.Time, caption func(guide.Reading) string) ([]byte, error) {
	var charts []*plot.Plot
	for _, r := range readings {
		if len(r.Series) == 0 || len(charts) == Most {
			continue
		}
		c, err := chart(r, since, until, caption(r))
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", r.Metric, err)
		}
		charts = append(charts, c)
	}
	if len(charts) == 0 {
		return nil, nil
	}
	return tiled(charts)
}

// tiled puts charts side by side.
func tiled(charts []*plot.Plot) ([]byte, error) {
	across := min(columns, len(charts))
	down := (len(charts) + across - 1) / across
	canvas := vgimg.NewWith(vgimg.UseWH(vg.Length(across)*width+2*margin, vg.Length(down)*height+2*margin), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(background))
	tiles := draw.Tiles{Rows: down, Cols: across, PadX: margin, PadY: margin, PadTop: margin, PadBottom: margin, PadLeft: margin, PadRight: margin}
	for i, c := range charts {
		c.Draw(tiles.At(draw.New(canvas), i%across, i/across))
	}
	var out bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&out); err != nil {
		return nil, fmt.Errorf("encode the picture: %w", err)
	}
	return out.Bytes(), nil
}

func chart(r guide.Reading, since, until time.Time, caption string) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = background
	p.Title.Text = caption
	p.Title.TextStyle.Color, p.Title.TextStyle.Font.Size = inkOf(r.Status), 8
	p.Title.Padding = vg.Points(3)
	for _, f := range []*font.Font{&p.Title.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		f.Variant = "Sans"
	}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color, axis.Tick.Label.Color = ink, ink, ink
		axis.Tick.Label.Font.Size = 7
	}
	p.X.Tick.Marker = plot.TimeTicks{Format: timeFormat(until.Sub(since)), Ticker: few{}}
	p.Y.Tick.Marker = units{r.Unit}
	p.X.Min, p.X.Max = seconds(since), seconds(until)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, nil
	p.Add(grid)
	if err := addSeries(p, r); err != nil {
		return nil, err
	}
	p.X.Min, p.X.Max = seconds(since), seconds(until) // what is added widens them
	p.Y.Min = 0
	p.Y.Max = top(r)
	return p, addLimit(p, r)
}

// top leaves room above the greatest number, and shows the limit that is near.
func top(r guide.Reading) float64 {
	most := 0.0
	for _, s := range r.Series {
		for _, point := range s.Points {
			most = max(most, point.V)
		}
	}
	if at, ok := limitOf(r); ok && (at <= 4*most || r.Limits.Below) {
		most = max(most, at)
	}
	switch {
	case most <= 0:
		return 1
	case len(r.Series) > 1: // room for their names
		return most * 1.5
	default:
		return most * 1.15
	}
}

// addSeries draws each series as a line that breaks where there are no numbers.
func addSeries(p *plot.Plot, r guide.Reading) error {
	p.Legend.Top = true
	p.Legend.TextStyle.Color, p.Legend.TextStyle.Font.Size = ink, 7
	for i, s := range r.Series {
		colour := lines[i%len(lines)]
		for j, part := range parts(s.Points) {
			line, dots, err := plotter.NewLinePoints(part)
			if err != nil {
				return fmt.Errorf("draw a line: %w", err)
			}
			line.Color, line.Width = colour, vg.Points(1.5)
			line.Dashes = dashes(i)
			dots.Color, dots.Shape, dots.Radius = colour, draw.CircleGlyph{}, vg.Points(1.5)
			p.Add(line)
			if len(part) == 1 {
				p.Add(dots)
			}
			if j == 0 && s.Label != "" && len(r.Series) > 1 {
				p.Legend.Add(s.Label, line)
			}
		}
	}
	return nil
}

// dashes tell series apart where colours do not.
func dashes(i int) []vg.Length {
	patterns := [][]vg.Length{nil, {vg.Points(5), vg.Points(2)}, {vg.Points(1.5), vg.Points(1.5)}, {vg.Points(6), vg.Points(2), vg.Points(1.5), vg.Points(2)}}
	return patterns[i%len(patterns)]
}

// parts breaks points where the time between two is more than twice the
// shortest.
func parts(points []guide.Point) []plotter.XYs {
	step := time.Duration(math.MaxInt64 / 4)
	for i := 1; i < len(points); i++ {
		step = min(step, points[i].At.Sub(points[i-1].At))
	}
	var all []plotter.XYs
	for i, point := range points {
		if i == 0 || point.At.Sub(points[i-1].At) > 2*step {
			all = append(all, nil)
		}
		last := len(all) - 1
		all[last] = append(all[last], plotter.XY{X: seconds(point.At), Y: point.V})
	}
	return all
}

// limitOf is where a number begins to be bad; zero, where anything is bad, is no
// line.
func limitOf(r guide.Reading) (float64, bool) {
	at := r.Limits.Warn
	if math.IsNaN(at) || at == 0 {
		at = r.Limits.Fail
	}
	return at, !math.IsNaN(at) && at > 0.01
}

func addLimit(p *plot.Plot, r guide.Reading) error {
	at, ok := limitOf(r)
	if !ok || at > p.Y.Max {
		return nil
	}
	line, err := plotter.NewLine(plotter.XYs{{X: p.X.Min, Y: at}, {X: p.X.Max, Y: at}})
	if err != nil {
		return fmt.Errorf("draw the limit: %w", err)
	}
	line.Color, line.Dashes = limitInk, []vg.Length{vg.Points(2), vg.Points(2)}
	p.Add(line)
	return nil
}

func inkOf(s diagnostics.Status) color.Color {
	switch s {
	case diagnostics.Fail:
		return limitInk
	case diagnostics.Warn:
		return color.RGBA{0x8A, 0x5A, 0x00, 0xFF}
	case diagnostics.Unknown:
		return color.RGBA{0x6E, 0x40, 0xC9, 0xFF}
	default:
		return ink
	}
}

func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

func timeFormat(window time.Duration) string {
	switch {
	case window > 48*time.Hour:
		return "02 15:04"
	case window < 10*time.Minute:
		return "15:04:05"
	default:
		return "15:04"
	}
}

// few are three ticks: more would overlap.
type few struct{}

// Ticks implements plot.Ticker.
func (few) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, part := range []float64{0.1, 0.5, 0.9} {
		ticks = append(ticks, plot.Tick{Value: low + part*(high-low), Label: "x"})
	}
	return ticks
}

// units are the usual ticks, with labels in the unit of the number.
type units struct{ guide.Unit }

// Ticks implements plot.Ticker.
func (u units) Ticks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = u.label(ticks[i].Value)
		}
	}
	return ticks
}

func (u units) label(v float64) string {
	digits := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	switch u.Unit {
	case guide.Share:
		return digits(100*v) + " %"
	case guide.Seconds:
		return strconv.FormatFloat(v, 'f', -1, 64) + " s"
	case guide.PerSecond:
		return digits(v) + "/s"
	default:
		return digits(v)
	}
}
