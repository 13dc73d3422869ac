package commands

import "strings"

// Nearest returns the word that was most likely meant, or "" when none is near
// enough to be worth a guess.
func Nearest(word string, among []string) string {
	word = strings.ToLower(word)
	best, bestAt := "", len([]rune(word))/2+1
	for _, candidate := range among {
		lower := strings.ToLower(candidate)
		if len(word) >= 3 && (strings.HasPrefix(lower, word) || strings.HasSuffix(lower, word)) {
			return candidate
		}
		if d := distance(word, lower); d < bestAt {
			best, bestAt = candidate, d
		}
	}
	return best
}

// distance is the number of letters to add, drop, change or swap with their
// neighbour to make one word of another.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(from); i++ {
		row[0] = i
		for j := 1; j <= len(to); j++ {
			cost := 1
			if from[i-1] == to[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}
