package bench

import (
	"fmt"
	"slices"
	"time"
)

// rounds is how often each figure is taken: a busy machine makes single figures
// worthless.
const rounds = 9

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func ratio(a, b []time.Duration) float64 { return float64(median(a)) / float64(median(b)) }

// figures shows the median, and the best and the worst around it.
func figures(list []time.Duration) string {
	return fmt.Sprintf("%s (%s to %s)", ms(median(list)), ms(slices.Min(list)), ms(slices.Max(list)))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond)) }
