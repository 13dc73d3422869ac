package slack

import (
	"slices"
	"testing"
	"time"
)

func TestLinesThatComeFastAreSaidTogether(t *testing.T) {
	var o output
	if got := o.add("r", "1", noon, time.Second); !slices.Equal(got, []string{"1"}) {
		t.Errorf("the first line is held: %q", got)
	}
	for i := range 3 {
		if got := o.add("r", "2", noon.Add(time.Duration(i)*time.Millisecond), time.Second); got != nil {
			t.Errorf("said at once: %q", got)
		}
	}
	if got := o.add("r", "3", noon.Add(time.Second), time.Second); !slices.Equal(got, []string{"2", "2", "2", "3"}) {
		t.Errorf("a second later: %q", got)
	}
	if got := o.add("other", "1", noon, time.Second); len(got) != 1 {
		t.Errorf("another request waits: %q", got)
	}
	o.add("r", "4", noon.Add(time.Second), time.Second)
	if got := o.take("r"); !slices.Equal(got, []string{"4"}) || o.take("r") != nil {
		t.Errorf("taken: %q", got)
	}
	for range maxOutput - 1 {
		o.add("r", "5", noon, time.Hour)
	}
	if got := o.add("r", "5", noon, time.Hour); len(got) > maxOutput {
		t.Errorf("%d lines in one message", len(got))
	}
}

func TestLinesThatCouldNotBeSaidComeFirstNextTime(t *testing.T) {
	var o output
	said := o.add("r", "1", noon, time.Second)
	o.add("r", "2", noon, time.Second)
	o.putBack("r", said)
	if got := o.add("r", "3", noon.Add(time.Second), time.Second); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("said next: %q", got)
	}
}
