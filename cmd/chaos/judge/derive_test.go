package judge

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A scribe writes histories as arbiters do.
type scribe struct {
	l     *ledger.Ledger
	epoch uint64
	now   int64
	entry int
	out   [][]byte
}

func begin(incarnation, after uint64) *scribe {
	s := &scribe{l: ledger.New(incarnation, after), epoch: 1}
	s.own(events.Intent{Kind: events.Begin})
	return s
}

// lead has an arbiter take the next epoch.
func (s *scribe) lead(arbiter string) *scribe {
	s.own(events.Intent{Kind: events.Lead, Arbiter: arbiter})
	s.own(events.Intent{Kind: events.SetPolicy, Policy: events.Policy{
		Rule: events.RuleVersion, Limit: 60, Reserve: 6, TTL: time.Second, Services: events.BuiltinServices(), Unlisted: events.UnlistedService(),
	}})
	return s
}

func (s *scribe) own(in events.Intent) {
	s.apply("", events.EncodeIntent(&in))
}

func (s *scribe) apply(entry string, intent []byte) {
	s.now += 10
	step := s.l.Apply(ledger.Input{Epoch: s.epoch, Now: s.now, Wall: s.now, Entry: entry, Intent: intent})
	s.out = append(s.out, step.Encoded)
}

// register has a container come.
func (s *scribe) register(id string, want int) *scribe {
	s.entry++
	in := events.Intent{Kind: events.Register, Container: id, Counter: 1, Introduce: events.Introduce{Service: "api"}, Demand: events.Demand{Want: want}}
	s.apply("1-1", events.EncodeIntent(&in))
	return s
}

func sample() *scribe {
	return begin(7, 0).lead("a").register("x", 5).register("y", 60)
}

// archived writes records to an archive.
func archived(t *testing.T, records ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history")
	a, err := history.Create(path, history.Header{Budget: "b", Exported: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Write(records), a.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAGoodHistoryIsDerived(t *testing.T) {
	first := sample()
	second := begin(8, 3).lead("b").register("x", 5) // the last two records of the first were lost
	second.epoch = 2
	second.lead("a")
	records := append(first.out, second.out...)
	got, err := Verify(archived(t, records...))
	if want := (Totals{Records: len(records), Incarnations: 2, Leaderships: 3}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestABadHistoryIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func() [][]byte
		want  string
	}{
		"a byte changed": {func() [][]byte {
			out := sample().out
			out[3] = append([]byte(nil), out[3]...)
			out[3][len(out[3])-1] ^= 1
			return out
		}, "does not follow"},
		"a record missing": {func() [][]byte {
			out := sample().out
			return append(out[:3:3], out[4])
		}, "record 5 stands where record 4"},
		"a record twice": {func() [][]byte {
			out := sample().out
			return append(out, out[4])
		}, "record 5 stands where record 6"},
		"another decision": {func() [][]byte {
			// Of the same length and with a right hash, but another order.
			out := sample().out
			other := begin(7, 0).lead("a").register("y", 60).register("x", 5).out
			return append(out[:4:4], other[4])
		}, "does not follow"},
		"no record": {func() [][]byte {
			return append(sample().out, []byte("garbage"))
		}, "cannot be read"},
		"no beginning": {func() [][]byte {
			return sample().out[1:]
		}, "none that begins"},
		"an incarnation twice": {func() [][]byte {
			out := append(sample().out, begin(8, 5).lead("a").out...)
			return append(out, sample().out...)
		}, "begins a second time"},
		"an epoch with two leaders": {func() [][]byte {
			return sample().lead("b").out
		}, "issued twice, to a and to b"},
		"an epoch that goes back": {func() [][]byte {
			s := sample()
			s.epoch = 3
			s.lead("b")
			s.epoch = 2
			return s.lead("c").out
		}, "is of epoch 2, after epoch 3"},
		"an epoch without a leader": {func() [][]byte {
			s := sample()
			s.epoch = 2
			return s.register("z", 1).out
		}, "nobody said"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verify(archived(t, c.spoil()...))
			if !errors.Is(err, errHistory) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
