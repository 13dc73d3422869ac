package diagnostics

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// filler puts another value into every field there is, so that a field that is
// added later is filled as well.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 28, 9, 0, 0, f.n*1e6, time.UTC)))
		return
	case reflect.TypeFor[error](): // what is behind a blindness is not kept
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", f.n))
	case reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default:
		panic("the test cannot fill a " + v.Type().String())
	}
}

func fullReport() Report {
	var r Report
	new(filler).fill(reflect.ValueOf(&r).Elem())
	return r
}

func TestAReportSurvivesItsJSON(t *testing.T) {
	behind := fullReport()
	behind.Checks[0].Blind.Err = errors.New("with an address in it")
	for name, want := range map[string]Report{"every field": behind, "nothing": {}, "empty lists": {Checks: []Result{{BecauseOf: []string{}}}}} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(name, err)
		}
		if strings.Contains(string(data), "address") {
			t.Errorf("%s: the error behind a blindness is kept: %s", name, data)
		}
		var got Report
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(name, err)
		}
		for i := range want.Checks {
			if want.Checks[i].Blind != nil {
				want.Checks[i].Blind.Err = nil
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if d := Compare(want, got); !d.Empty() || d.Moved > 0 {
			t.Errorf("%s: what was kept differs: %+v", name, d)
		}
	}
}

// TestMapReachesEveryText has a field that is added later noticed: it is mapped,
// or named here as one that stays.
func TestMapReachesEveryText(t *testing.T) {
	before := fullReport()
	after := before.Map(strings.ToUpper)
	if diff := cmp.Diff(fullReport(), before); diff != "" {
		t.Errorf("it changed the report itself: %s", diff)
	}
	var stayed []string
	var look func(path string, v reflect.Value)
	look = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			if strings.HasPrefix(v.String(), "text") {
				stayed = append(stayed, path)
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range v.NumField() {
				look(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Pointer:
			look(path, v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				look(path, v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				look(path, v.MapIndex(key))
			}
		}
	}
	look("", reflect.ValueOf(after))
	slices.Sort(stayed)
	want := []string{
		".Checks.BecauseOf", ".Checks.Blind.Gate", ".Checks.Blind.Reason", ".Checks.Code", ".Checks.Evidence.Source",
		".Checks.Fixes.Remedy", ".Checks.Status", ".Target", ".Verdict.Causes.Code", ".Verdict.Causes.Fixes.Remedy", ".Verdict.Status",
	}
	if diff := cmp.Diff(want, slices.Compact(stayed)); diff != "" {
		t.Error(diff)
	}
}

func TestRunIDsSortByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(0, 1<<34).Draw(t, "a"), rapid.Int64Range(0, 1<<34).Draw(t, "b")
		one, other := NewRunID(time.Unix(a, 0), rapid.Uint32().Draw(t, "tail")), NewRunID(time.Unix(b, 0), rapid.Uint32().Draw(t, "tail"))
		if a < b && one >= other {
			t.Errorf("%s of %d is not before %s of %d", one, a, other, b)
		}
		if !IsRunID(one) || RunID(" "+strings.ToUpper(one)) != one {
			t.Errorf("%s is not read again", one)
		}
	})
}

func TestRunIDIsReadAsPeopleTypeIt(t *testing.T) {
	if got := RunID(" 1O0IL \t"); got != "10011" {
		t.Errorf("it is %q", got)
	}
	for _, word := range []string{"", "worker", "1234567890", "12345678u", "../../etc"} {
		if IsRunID(word) {
			t.Errorf("%q is taken for a run", word)
		}
	}
}

func TestNewRunSaysWhatItsReportSays(t *testing.T) {
	r := fullReport()
	run := NewRun(r, FromTerminal, time.Hour, true)
	want := RunInfo{
		Service: r.Target, At: r.At, Status: r.Verdict.Status, Causes: []string{r.Verdict.Causes[0].Code, r.Verdict.Causes[1].Code},
		Source: FromTerminal, Since: time.Hour, Whole: true,
	}
	if diff := cmp.Diff(want, run.RunInfo); diff != "" {
		t.Error(diff)
	}
}
