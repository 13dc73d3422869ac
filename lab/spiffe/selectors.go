package spiffe

import (
	"errors"
	"strings"

	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
)

// selectorSet is selectors without order or repetition.
type selectorSet map[string]bool

func newSelectorSet(selectors []*types.Selector) selectorSet {
	set := make(selectorSet, len(selectors))
	for _, s := range selectors {
		set[s.GetType()+":"+s.GetValue()] = true
	}
	return set
}

func (s selectorSet) within(other selectorSet) bool {
	for k := range s {
		if !other[k] {
			return false
		}
	}
	return true
}

func (s selectorSet) meets(other selectorSet) bool {
	for k := range s {
		if other[k] {
			return true
		}
	}
	return false
}

// subset tells whether every selector of an entry is among those of a workload. No selectors match nothing.
func subset(entry, workload []*types.Selector) bool {
	return len(entry) > 0 && newSelectorSet(entry).within(newSelectorSet(workload))
}

// matchSelectors judges a candidate's selectors as the filters of the server API do.
func matchSelectors(candidate []*types.Selector, match *types.SelectorMatch) bool {
	have, asked := newSelectorSet(candidate), newSelectorSet(match.GetSelectors())
	switch match.GetMatch() {
	case types.SelectorMatch_MATCH_EXACT:
		return have.within(asked) && asked.within(have)
	case types.SelectorMatch_MATCH_SUBSET:
		return len(have) > 0 && have.within(asked)
	case types.SelectorMatch_MATCH_SUPERSET:
		return asked.within(have)
	case types.SelectorMatch_MATCH_ANY:
		return have.meets(asked)
	}
	return false
}

// checkSelectors refuses what SPIRE refuses, in its words.
func checkSelectors(selectors []*types.Selector) error {
	for _, s := range selectors {
		switch {
		case s.GetType() == "":
			return errors.New("missing selector type")
		case strings.Contains(s.GetType(), ":"):
			return errors.New("selector type contains ':'")
		case s.GetValue() == "":
			return errors.New("missing selector value")
		}
	}
	return nil
}
