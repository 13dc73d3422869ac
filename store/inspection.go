package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/approvals"
)

// keyBreak begins the details of an acknowledgement that tell of one break each.
const keyBreak = "break."

// resealed is all that can be said when an entry is not the one that what follows
// names: those before it may have been sealed again with it.
const resealed = "was changed and sealed again, and others before it may have been"

// record is an audit entry as it is stored, whatever somebody made of it.
type record struct {
	number                      int64
	request, note, before, hash string
}

func scanRecord(scan func(...any) error) (record, error) {
	var r record
	err := scan(&r.number, &r.request, &r.note, &r.before, &r.hash)
	return r, err
}

// entry reads the record as one that was sealed with a number. ok is false when
// it never was: then something in it is not as it was written.
func (r record) entry(number int64) (e approvals.Entry, ok bool) {
	e = approvals.Entry{Number: number, Before: r.before, Hash: r.hash}
	if json.Unmarshal([]byte(r.note), &e.Note) != nil {
		return e, false
	}
	again, err := json.Marshal(e.Note)
	return e, err == nil && string(again) == r.note && safeText(e.Request) == r.request && e.Intact(r.before)
}

// print is the hash of all that is there.
func (r record) print() string {
	return hashOf(fmt.Sprintf("%d %q %q %q %q", r.number, r.request, r.note, r.before, r.hash))
}

// spot is what a break is known by. What it is taken for is left out: that may
// be seen differently when the chain has grown.
type spot struct {
	number, to     int64
	request, found string
}

func spotOf(b approvals.Break) spot { return spot{b.Number, b.To, b.Request, b.Found} }

// inspection follows the chain entry by entry, and then the requests beside it.
type inspection struct {
	head   record // what the end of the chain has to be
	last   record // the entry before
	bad    bool   // it was found broken: nothing can be said of what follows it
	behind int64  // how many entries were put in before, which moved the numbers of all behind

	became       map[string]became // by request
	acknowledged map[spot]bool
	breaks       []approvals.Break
}

// became is what the chain says of a request's row.
type became struct {
	number int64
	row    string
}

func inspect(head record) *inspection {
	return &inspection{
		head: head, last: record{hash: approvals.Genesis},
		became: map[string]became{}, acknowledged: map[spot]bool{},
	}
}

// next takes the records in the order of their numbers.
func (v *inspection) next(r record) {
	e, ok := v.sealed(r)
	if r.number <= v.last.number || r.number > v.head.number+v.behind {
		v.found(approvals.BreakInserted, r, "was inserted")
		return
	}
	if r.number > v.last.number+1 {
		v.missing(v.last.number+1, r.number-1)
	}
	switch {
	case !ok:
		v.found(approvals.BreakChanged, r, "was changed")
	case v.bad || r.before == v.last.hash:
	case v.last.number == 0:
		v.found(approvals.BreakChanged, r, resealed)
	case r.before == v.last.before:
		v.found(approvals.BreakInserted, v.last, "was inserted")
	default: // what follows is whole up to the head, so it is the one before
		v.found(approvals.BreakChanged, v.last, resealed)
	}
	v.last, v.bad = r, !ok
	v.learn(e, ok)
}

// sealed reads a record under its number, or the one that it had before entries
// were put in ahead of it.
func (v *inspection) sealed(r record) (approvals.Entry, bool) {
	e, ok := r.entry(r.number - v.behind)
	if ok {
		return e, ok
	}
	if moved, ok := r.entry(r.number - v.behind - 1); ok && r.before == v.last.before && !v.bad {
		v.behind++
		return moved, ok
	}
	if v.behind > 0 {
		if e, ok := r.entry(r.number); ok { // written after that was acknowledged
			v.behind = 0
			return e, ok
		}
	}
	return e, false
}

// learn keeps what an entry says of its request, and of breaks.
func (v *inspection) learn(e approvals.Entry, ok bool) {
	if e.Row != "" {
		v.became[e.Request] = became{e.Number, e.Row}
	}
	if ok && e.Deed == approvals.DeedAcknowledged {
		for _, b := range breaksOf(e) {
			v.acknowledged[spotOf(b)] = true
		}
	}
}

// breaksOf are the breaks that an acknowledgement lists.
func breaksOf(e approvals.Entry) []approvals.Break {
	var breaks []approvals.Break
	for key, text := range e.Detail {
		var b approvals.Break
		if strings.HasPrefix(key, keyBreak) && json.Unmarshal([]byte(text), &b) == nil {
			breaks = append(breaks, b)
		}
	}
	return breaks
}

// end compares the end of the chain with its head.
func (v *inspection) end() {
	switch last := v.head.number + v.behind; {
	case last > v.last.number:
		v.missing(v.last.number+1, last)
	case v.bad || v.last.hash == v.head.hash:
	case v.last.number == 0:
		v.breaks = append(v.breaks, approvals.Break{
			Kind: approvals.BreakChanged, Found: v.head.hash, What: "the head of the empty chain was changed",
		})
	default:
		v.found(approvals.BreakChanged, v.last, resealed)
	}
}

// row compares a stored request with what the chain says of it. It is given each
// request once; rest then finds those that are gone.
func (v *inspection) row(id, print string) {
	is, told := v.became[id]
	delete(v.became, id)
	switch {
	case !told:
		v.breaks = append(v.breaks, approvals.Break{
			Kind: approvals.BreakRow, Request: id, Found: print, What: fmt.Sprintf("request %q was never asked for: no entry tells of it", id),
		})
	case is.row != print:
		v.breaks = append(v.breaks, approvals.Break{
			Kind: approvals.BreakRow, Number: is.number, Request: id, Found: print,
			What: fmt.Sprintf("request %q is not what entry %d says that it became", id, is.number),
		})
	}
}

func (v *inspection) rest() {
	for id, is := range v.became {
		v.breaks = append(v.breaks, approvals.Break{
			Kind: approvals.BreakRow, Number: is.number, Request: id,
			What: fmt.Sprintf("request %q, of which entry %d tells, is gone", id, is.number),
		})
	}
}

// found adds a break at one entry. Neighbours that were changed are one break.
func (v *inspection) found(kind approvals.BreakKind, r record, what string) {
	if n := len(v.breaks) - 1; n >= 0 && kind == approvals.BreakChanged && v.breaks[n].Kind == kind && max(v.breaks[n].Number, v.breaks[n].To) == r.number-1 {
		b := &v.breaks[n]
		b.To, b.Request, b.Found = r.number, "", hashOf(b.Found+r.print())
		b.What = fmt.Sprintf("entries %d to %d were changed", b.Number, b.To)
		return
	}
	v.breaks = append(v.breaks, approvals.Break{
		Kind: kind, Number: r.number, Request: r.request, Found: r.print(), What: fmt.Sprintf("entry %d %s", r.number, what),
	})
}

func (v *inspection) missing(from, to int64) {
	b := approvals.Break{Kind: approvals.BreakMissing, Number: from, To: to, What: fmt.Sprintf("entries %d to %d are missing", from, to)}
	if from == to {
		b.What = fmt.Sprintf("entry %d is missing", from)
	}
	v.breaks = append(v.breaks, b)
	v.bad = true
}

// open are the breaks that nobody has acknowledged: those of the chain in its
// order, and then those of requests, which often come of the former.
func (v *inspection) open() []approvals.Break {
	open := slices.DeleteFunc(slices.Clone(v.breaks), func(b approvals.Break) bool { return v.acknowledged[spotOf(b)] })
	slices.SortStableFunc(open, func(a, b approvals.Break) int {
		return cmp.Or(cmp.Compare(part(a), part(b)), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Request, b.Request))
	})
	return open
}

func part(b approvals.Break) int {
	if b.Kind == approvals.BreakRow {
		return 1
	}
	return 0
}

// acknowledgement is a note that lists breaks.
func acknowledgement(breaks []approvals.Break, who, reason string) (approvals.Note, error) {
	n := approvals.Note{Deed: approvals.DeedAcknowledged, Actor: who, Detail: map[string]string{}}
	if reason != "" {
		n.Detail[approvals.KeyReason] = reason
	}
	for i, b := range breaks {
		text, err := json.Marshal(b)
		if err != nil {
			return n, err
		}
		n.Detail[keyBreak+strconv.Itoa(i+1)] = string(text)
	}
	return n, nil
}
