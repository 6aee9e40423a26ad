package audit

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// lively is a history of all that can happen, with three incarnations.
func lively() *stage {
	s := newStage(3)
	s.wander(700, 20)
	s.fail(20 * time.Second)
	s.wander(1400, 20)
	s.fail(0)
	s.wander(2000, 20)
	return s
}

func verify(t *testing.T, tp *tape) Report {
	t.Helper()
	r, err := Verify(context.Background(), tp)
	must(t, err)
	return r
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := lively()
	r := verify(t, &tape{records: s.records})
	if !r.Proved() || r.Records != uint64(len(s.records)) || r.Incarnations != 3 || r.Leaderships < 3 || r.Last != r.Records {
		t.Errorf("%v: %+v", &r, r)
	}
	if want := "2000 records, 1 to 2000, follow from each other"; r.String() != want {
		t.Errorf("%q, want %q", r.String(), want)
	}
}

// From any snapshot on, the rest is re-derived as well; without one it only
// continues the chain until an incarnation begins.
func TestVerifyPart(t *testing.T) {
	t.Parallel()
	s := newStage(4)
	s.wander(300, 10)
	snap := s.ledger.Snapshot()
	s.wander(600, 10)
	if r := verify(t, &tape{records: s.records[300:], snapshot: snap}); !r.Proved() || r.Rederived != 300 {
		t.Errorf("%v: %+v", &r, r)
	}
	r := verify(t, &tape{records: s.records[300:]})
	if !r.Clean() || r.Proved() || r.Linked != 299 || !strings.Contains(r.String(), "not known") {
		t.Errorf("%v: %+v", &r, r)
	}
	s.fail(0)
	s.wander(900, 10)
	if r := verify(t, &tape{records: s.records[300:]}); !r.Clean() || r.Rederived < 290 {
		t.Errorf("%v: %+v", &r, r)
	}
}

// rewrite returns record i with a change, under a hash that fits when chained.
func (s *stage) rewrite(t *testing.T, i int, chained bool, change func(*events.Record)) []byte {
	t.Helper()
	rec, err := events.DecodeRecord(s.records[i])
	must(t, err)
	change(rec)
	prev := tail(s.records[i-1])
	if !chained {
		prev[0] ^= 1
	}
	return events.EncodeRecord(rec, prev)
}

// relabel changes a record and leaves its hash.
func relabel(t *testing.T, data []byte, change func(*events.Record)) []byte {
	t.Helper()
	rec, err := events.DecodeRecord(data)
	must(t, err)
	change(rec)
	hash := tail(data)
	data = events.EncodeRecord(rec, events.Hash{})
	return append(data[:len(data)-len(hash)], hash[:]...)
}

// plain is the index of a record from i on in which a container only renews.
func (s *stage) plain(i int) int {
	for ; ; i++ {
		rec, _ := events.DecodeRecord(s.records[i])
		if len(rec.Decisions) == 1 && rec.Decisions[0].Verb == events.Renewed && rec.Decisions[0].Units > 0 {
			return i
		}
	}
}

func TestTampered(t *testing.T) {
	t.Parallel()
	s := newStage(5)
	s.wander(400, 10)
	at := s.plain(200)
	replace := func(data []byte) [][]byte {
		records := slices.Clone(s.records)
		records[at] = data
		return records
	}
	forge := func(change func(*events.Record)) [][]byte { return replace(s.rewrite(t, at, true, change)) }
	swapped := slices.Clone(s.records)
	swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
	late := slices.Insert(slices.Delete(slices.Clone(s.records), at, at+1), at+50, s.records[at])
	flipped := bytes.Clone(s.records[at])
	flipped[len(flipped)-1] ^= 4
	outer := bytes.Clone(s.records[at])
	outer[0] = 0xc1
	other := newStage(5)
	other.ledger = ledger.New(0x77, uint64(at))
	other.epoch = s.ledger.Epoch()
	for _, c := range []struct {
		name      string
		records   [][]byte
		kind      Kind
		text      string
		rederived int // at least
		diff      string
	}{
		{"a decision altered", replace(s.rewrite(t, at, false, func(r *events.Record) { r.Decisions[0].Units++ })), Altered, "its hash does not follow", at, "Units"},
		{"a hash altered", replace(flipped), Altered, "its hash does not follow", at, "Hash"},
		{"an intent forged", forge(func(r *events.Record) { r.Intent = []byte("me too") }), Forged, "another decision follows", at, "Intent"},
		{"a grant forged", forge(func(r *events.Record) { r.Decisions[0].Units++ }), Forged, "another decision follows", at, "Units"},
		{"the epoch forged", forge(func(r *events.Record) { r.Epoch = 0 }), Forged, "which was over", at, ""},
		{"dropped", slices.Delete(slices.Clone(s.records), at, at+1), Missing, "is missing", at, ""},
		{"more dropped", slices.Delete(slices.Clone(s.records), at, at+5), Missing, "are missing", at, ""},
		{"swapped", swapped, Reordered, "stands behind record", len(s.records), ""},
		{"late", late, Reordered, "stands behind record", len(s.records), ""},
		{"twice", slices.Insert(slices.Clone(s.records), at, s.records[at-1]), Duplicated, "a second time", len(s.records), ""},
		{"long after", slices.Insert(slices.Clone(s.records), at+90, s.records[at-1]), Duplicated, "a second time", len(s.records), ""},
		{"a second one", slices.Insert(slices.Clone(s.records), at+1, s.rewrite(t, at, true, func(r *events.Record) { r.Wall++ })), Forged, "the second is another one", len(s.records), ""},
		{"no record", replace([]byte("what?")), Undecodable, "cannot be read", at, ""},
		{"another shape", replace(outer), Undecodable, "cannot be read", at, ""},
		{"another incarnation", forge(func(r *events.Record) { r.Incarnation++ }), Altered, "never began", at, ""},
		{"its incarnation altered", replace(relabel(t, s.records[at], func(r *events.Record) { r.Incarnation++ })), Altered, "its hash does not follow", len(s.records) - 1, "Incarnation"},
		{"its sequence altered", replace(relabel(t, s.records[at], func(r *events.Record) { r.Sequence += 1 << 40 })), Altered, "its hash does not follow", len(s.records) - 1, "Sequence"},
		{"its sequence raised", replace(relabel(t, s.records[at], func(r *events.Record) { r.Sequence += 60 })), Altered, "its hash does not follow", len(s.records) - 1, "Sequence"},
		{"its sequence lowered", replace(relabel(t, s.records[at], func(r *events.Record) { r.Sequence -= 60 })), Altered, "its hash does not follow", len(s.records) - 1, "Sequence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verify(t, &tape{records: c.records})
			if len(r.Divergences) == 0 {
				t.Fatal("nothing was noticed")
			}
			d := r.Divergences[0]
			sequence := uint64(at + 1)
			if c.kind == Duplicated {
				sequence = uint64(at)
			}
			if d.Kind != c.kind || d.Sequence != sequence || !strings.Contains(d.Text, c.text) || !strings.Contains(d.Diff, c.diff) {
				t.Errorf("%s at %d: %s\n%s", d.Kind, d.Sequence, d.Text, d.Diff)
			}
			if r.Rederived < uint64(c.rederived) {
				t.Errorf("only %d re-derived", r.Rederived)
			}
			if !errors.As(r.Err(), &d) || r.Proved() {
				t.Errorf("error %v", r.Err())
			}
		})
	}
}

// A leadership is issued once, and somebody has it.
func TestOffice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		act  func(*stage)
		kind Kind
		text string
	}{
		{"twice", func(s *stage) { s.own(events.Intent{Kind: events.Lead, Arbiter: "arbiter-9"}) }, Forged, "issued twice"},
		{"nobody's", func(s *stage) { s.epoch = 7; s.own(events.Intent{Kind: events.Tick}) }, Forged, "nobody said"},
		{"back", func(s *stage) { s.epoch = 0; s.own(events.Intent{Kind: events.Tick}) }, Forged, "was over"},
		{"unknown rule", func(s *stage) {
			p := policyOf(60)
			p.Rule = events.RuleVersion + 1
			s.own(events.Intent{Kind: events.SetPolicy, Policy: p})
		}, Undecodable, "rule version 2 is not known"},
		{"a container's", func(s *stage) {
			s.apply("1-1", events.EncodeIntent(&events.Intent{Kind: events.Lead, Arbiter: "x"}))
		}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(6)
			s.wander(50, 5)
			c.act(s)
			r := verify(t, &tape{records: s.records})
			if c.kind == "" {
				if !r.Proved() {
					t.Error(&r)
				}
				return
			}
			if len(r.Divergences) != 1 || r.Divergences[0].Kind != c.kind || !strings.Contains(r.Divergences[0].Text, c.text) {
				t.Error(&r)
			}
		})
	}
}

// Every flipped bit is reported, and with the record where it is.
func TestFlips(t *testing.T) {
	t.Parallel()
	s := newStage(8)
	s.wander(30, 5)
	s.fail(time.Second)
	s.wander(60, 5)
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		i := r.IntN(len(s.records))
		bad := bytes.Clone(s.records[i])
		at := r.IntN(len(bad))
		bad[at] ^= 1 << r.IntN(8)
		records := slices.Clone(s.records)
		records[i] = bad
		report := verify(t, &tape{records: records})
		if report.Clean() || report.Divergences[0].Sequence != uint64(i+1) {
			t.Fatalf("byte %d of record %d was flipped: %v", at, i+1, &report)
		}
	}
}

type tear struct{ error }

func (tear) Skippable() bool { return true }

// What a source cannot read is no divergence, and what follows it is re-derived
// where that can be.
func TestDamage(t *testing.T) {
	t.Parallel()
	s := newStage(9)
	s.wander(200, 10)
	s.fail(0)
	s.wander(400, 10)
	torn := tear{errors.New("segment 2 is torn")}
	nothing := verify(t, &tape{records: s.records, fail: map[int]error{100: torn}})
	if len(nothing.Divergences) > 0 || nothing.Clean() || nothing.Rederived != 400 {
		t.Errorf("nothing was lost: %+v", nothing)
	}
	gap := verify(t, &tape{records: slices.Delete(slices.Clone(s.records), 100, 120), fail: map[int]error{100: torn}})
	if diff := cmp.Diff([]string{"segment 2 is torn"}, gap.Damages); diff != "" || len(gap.Divergences) > 0 || gap.Rederived != 300 || gap.Linked != 79 {
		t.Errorf("20 were lost: %+v", gap)
	}
	beginning := verify(t, &tape{records: slices.Delete(slices.Clone(s.records), 190, 230), fail: map[int]error{190: torn}})
	if len(beginning.Divergences) > 0 || beginning.Rederived != 190 || beginning.Linked != 169 {
		t.Errorf("a beginning was lost: %+v", beginning)
	}
	deadly := errors.New("no such host")
	if _, err := Verify(context.Background(), &tape{records: s.records, fail: map[int]error{100: deadly}}); !errors.Is(err, deadly) {
		t.Errorf("error %v", err)
	}
}

// Behind a damage a snapshot allows to go on.
func TestDamageSnapshot(t *testing.T) {
	t.Parallel()
	s := newStage(9)
	s.wander(200, 10)
	v, err := NewVerifier(nil)
	must(t, err)
	for _, data := range s.records[:100] {
		must(t, v.Add(data))
	}
	v.Skip(errors.New("torn"))
	snap := s.ledger.Snapshot()
	s.wander(300, 10)
	must(t, v.Resume(snap))
	for _, data := range s.records[200:] {
		must(t, v.Add(data))
	}
	must(t, v.Finish())
	if r := v.Report(); r.Rederived != 200 || v.Ledger().Hash() != s.ledger.Hash() {
		t.Errorf("%+v", r)
	}
}

// What the ledger never does is noticed all the same.
func TestOvercharged(t *testing.T) {
	t.Parallel()
	said := events.EncodeIntent(&events.Intent{Kind: events.Renew, Container: "a-1", Counter: 2})
	grown := []events.Decision{{Verb: events.Grown, Container: "b-1", Units: 4, Charge: 4}}
	for _, c := range []struct {
		name   string
		rec    events.Record
		before int
		behind bool
		want   string
	}{
		{"the limit fell", events.Record{Available: 5, Charged: 9}, 9, false, ""},
		{"a container reports more", events.Record{Available: 5, Charged: 9, Entry: "1-1", Intent: said}, 4, false, ""},
		{"without cause", events.Record{Available: 5, Charged: 9}, 4, false, "no container reported more"},
		{"refused", events.Record{Available: 5, Charged: 9, Entry: "1-1", Intent: said, Refused: events.Stale}, 4, false, "no container reported more"},
		{"another grows", events.Record{Available: 5, Charged: 9, Entry: "1-1", Intent: said, Decisions: grown}, 4, false, "lets b-1 grow to 4"},
		{"within its charge", events.Record{Available: 5, Charged: 9, Entry: "1-1", Intent: said, Decisions: grown}, 9, true, ""},
	} {
		if got := overcharged(&c.rec, c.before, c.behind); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
