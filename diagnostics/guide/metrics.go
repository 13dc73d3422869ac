package guide

import (
	"math"
	"slices"
	"time"

	"tandem/diagnostics"
)

// Group is a kind of metric in the runbook.
type Group string

// The groups. Gate is that the service is scraped at all, without which no
// number says anything.
const (
	Gate        Group = "up"
	VaultGroup  Group = "vault"
	Credentials Group = "credentials"
	SPIFFEGroup Group = "spiffe"
	GRPC        Group = "grpc"
)

// Groups are those that can be asked for.
func Groups() []Group { return []Group{VaultGroup, Credentials, SPIFFEGroup, GRPC} }

// Unit is what a number counts.
type Unit int

// The units.
const (
	Number Unit = iota
	Share       // from 0 to 1
	Seconds
	PerSecond
)

// Limits judge a number: warn and fail from these on, or below them. NaN is no
// limit.
type Limits struct {
	Warn, Fail float64
	Below      bool // what is less is worse
}

// none is no limit.
var none = math.NaN()

// Judge says what a number means.
func (l Limits) Judge(v float64) diagnostics.Status {
	reaches := func(limit float64) bool {
		switch {
		case math.IsNaN(limit):
			return false
		case l.Below:
			return v < limit
		default:
			return v >= limit && v > 0
		}
	}
	switch {
	case reaches(l.Fail):
		return diagnostics.Fail
	case reaches(l.Warn):
		return diagnostics.Warn
	default:
		return diagnostics.Pass
	}
}

// Worst is the worst of some numbers.
func (l Limits) Worst(values []float64) float64 {
	if l.Below {
		return slices.Min(values)
	}
	return slices.Max(values)
}

// Measure is one number about a service, and how it is read rightly.
type Measure struct {
	Metric string // of the runbook
	Group  Group
	What   diagnostics.Text // the number is
	Trap   diagnostics.Text // of a naive reading; zero when there is none
	Unit   Unit
	Limits Limits
	Query  string // PromQL
	By     string // label that tells its series apart; empty: there is one
	// Empty is what it means that there is no number though the service is
	// scraped; zero: nobody knows.
	Empty diagnostics.Text
}

// MetricsAsk asks for the metrics of services over a window that ends now.
type MetricsAsk struct {
	About    string   // the service or the group, as people call it
	Services []string // names
	Group    Group    // empty: all
	Since    time.Duration
}

// Metrics is what was read of services.
type Metrics struct {
	About        string
	Since, Until time.Time
	Readings     []Reading
}

// Reading is a measure of one service over time.
type Reading struct {
	Measure
	Service string
	Series  []Series
	Now     float64 // the worst of the series, at the end; NaN: there is none
	Worst   float64 // over the window; NaN: there is none
	Status  diagnostics.Status
	Blind   *diagnostics.BlindError // nobody could look
	Command string                  // that a person can paste
}

// Series is one line of a picture.
type Series struct {
	Label  string
	Points []Point // the oldest first; only numbers
}

// Point is a number at a time.
type Point struct {
	At time.Time
	V  float64
}

// Read judges the series: what is now decides, not what was. A series that ended
// before the others, or before the window did, says nothing of now.
func (r *Reading) Read(series []Series, fresh time.Time) {
	r.Now, r.Worst, r.Series = math.NaN(), math.NaN(), series
	var now, all []float64
	for _, s := range series {
		for _, p := range s.Points {
			all = append(all, p.V)
		}
		if n := len(s.Points); n > 0 && !s.Points[n-1].At.Before(fresh) {
			now = append(now, s.Points[n-1].V)
		}
	}
	if len(all) > 0 {
		r.Worst = r.Limits.Worst(all)
	}
	switch {
	case len(now) > 0:
		r.Now = r.Limits.Worst(now)
		r.Status = r.Limits.Judge(r.Now)
	case r.Empty.EN != "":
		r.Status = diagnostics.Skipped
	default:
		r.Status = diagnostics.Unknown
	}
}

// Gated makes every number of a service unknown whose targets are not scraped:
// what is left of them is old.
func (m *Metrics) Gated() {
	for i := range m.Readings {
		if r := &m.Readings[i]; r.Group != Gate && m.Deaf(r.Service) {
			r.Status = diagnostics.Unknown
		}
	}
}

// Deaf says whether no target of a service is known to be scraped.
func (m Metrics) Deaf(service string) bool {
	return slices.ContainsFunc(m.Readings, func(r Reading) bool {
		return r.Service == service && r.Group == Gate && (r.Blind != nil || !(r.Now > 0))
	})
}

// Status is the worst of all readings; unknown outweighs a pass alone.
func (m Metrics) Status() diagnostics.Status {
	for _, s := range []diagnostics.Status{diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown} {
		if slices.ContainsFunc(m.Readings, func(r Reading) bool { return r.Status == s }) {
			return s
		}
	}
	if len(m.Readings) == 0 {
		return diagnostics.Unknown
	}
	return diagnostics.Pass
}

// Line draws the numbers as bars of eight heights, from zero to the greatest; a
// part of the window without one is a dot.
func (r Reading) Line(since, until time.Time) string {
	const fine = 1_000_000
	part := until.Sub(since) / Buckets
	if part <= 0 {
		return ""
	}
	worst := make([][]float64, Buckets)
	most := 0.0
	for _, s := range r.Series {
		for _, p := range s.Points {
			i := min(max(int(p.At.Sub(since)/part), 0), Buckets-1)
			worst[i] = append(worst[i], p.V)
			most = max(most, p.V)
		}
	}
	counts := make([]int64, Buckets)
	for i, values := range worst {
		if len(values) > 0 {
			counts[i] = 1 // something was seen, if only zero
			if most > 0 {
				counts[i] += int64(r.Limits.Worst(values) / most * fine)
			}
		}
	}
	if most <= 0 {
		return flat(counts)
	}
	return Spark(counts)
}

// flat draws what is zero wherever it was seen.
func flat(counts []int64) string {
	line := make([]rune, len(counts))
	for i, n := range counts {
		line[i] = '·'
		if n > 0 {
			line[i] = '▁'
		}
	}
	return string(line)
}
