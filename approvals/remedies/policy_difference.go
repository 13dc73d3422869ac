package remedies

import (
	"strconv"
	"strings"
	"unicode"
)

// mostCompared bounds the work on two long texts: pairs of lines.
const mostCompared = 4_000_000

// difference are the lines that only one of two texts has, in their order: - for
// the first, + for the second. Texts that differ in nothing but white space at
// the ends of lines or in line endings give no line.
func difference(a, b string) string {
	was, is := readable(a), readable(b)
	if len(was)*len(is) > mostCompared {
		return "- all of " + strconv.Itoa(len(was)) + " lines\n+ all of " + strconv.Itoa(len(is)) + " lines"
	}
	common := commonTails(was, is)
	var lines []string
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "- "+was[i])
			i++
		default:
			lines = append(lines, "+ "+is[j])
			j++
		}
	}
	if len(lines) == 0 {
		return "in white space alone"
	}
	return strings.Join(lines, "\n")
}

// commonTails tells how many lines the texts have in common, in order, from line
// i of the first and j of the second.
func commonTails(a, b []string) [][]int {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	return common
}

// readable are the lines of a text that somebody else wrote, without what would
// change how the lines around them are read.
func readable(text string) []string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRightFunc(line, unicode.IsSpace)
	}
	return lines
}
