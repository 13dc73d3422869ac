package commands

import (
	"strconv"
	"testing"
	"time"
)

func TestQuotaCountsTheLastMinute(t *testing.T) {
	now := noon
	q := NewQuota(2, func() time.Time { return now })
	take := func(person string, want bool, wait time.Duration) {
		t.Helper()
		if got, ok := q.Take(person); ok != want || got != wait {
			t.Errorf("at %s: Take = %v, %v, want %v, %v", now.Sub(noon), got, ok, wait, want)
		}
	}
	take("ana", true, 0)
	now = now.Add(20 * time.Second)
	take("ana", true, 0)
	take("ana", false, 40*time.Second)
	take("bruno", true, 0)
	if left, limit := q.Left("ana"); left != 0 || limit != 2 {
		t.Errorf("Left = %d of %d", left, limit)
	}
	now = now.Add(40 * time.Second)
	take("ana", true, 0)
	take("ana", false, 20*time.Second)
	now = now.Add(time.Hour)
	if left, _ := q.Left("ana"); left != 2 {
		t.Errorf("after an hour %d are left", left)
	}
}

func TestQuotaIsBounded(t *testing.T) {
	now := noon
	q := NewQuota(1, func() time.Time { return now })
	for i := range maxAskers + 100 {
		q.Take(strconv.Itoa(i))
		now = now.Add(time.Microsecond)
	}
	if n := len(q.asked); n > maxAskers {
		t.Errorf("%d people are counted", n)
	}
	if _, ok := q.Take(strconv.Itoa(maxAskers + 99)); ok {
		t.Error("who asked last was forgotten first")
	}
	now = now.Add(time.Minute)
	q.Take("ana")
	if n := len(q.asked); n != 1 {
		t.Errorf("%d people are counted, want ana alone", n)
	}
}
