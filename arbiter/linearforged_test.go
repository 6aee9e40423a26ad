package arbiter_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// The check must be able to fail: each of these things, had an arbiter done it,
// makes of a good history one that is not linearizable.
func TestForgedHistoryIsFound(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	past := r.contend(1, 1, 0)
	quiet := r.aside(past)
	wantLinearizable(t, slices.Concat(past, quiet))

	for name, forge := range map[string]func(*testing.T, []act) []act{
		"a look finds what was there before":           stale,
		"an intent is answered and has no effect":      lost,
		"an intent counts twice":                       doubled,
		"two containers find each other's grant":       swapped,
		"an answer comes before the question":          early,
		"the ledger heard another number than it says": misheard,
	} {
		t.Run(name, func(t *testing.T) {
			forged := slices.Concat(past, forge(t, slices.Clone(quiet)))
			if got := porcupine.CheckOperationsTimeout(sequentially(patient()), operations(forged), searchTime); got != porcupine.Illegal {
				t.Errorf("linearizable: %s", got)
			}
		})
	}
}

// aside has every speaker say two things more, one speaker at a time, with a look
// into every mailbox after each: of such a part one knows what forging it means.
func (r *rig) aside(past []act) (quiet []act) {
	r.t.Helper()
	end := int64(0)
	spoken := map[int]uint64{}
	for _, a := range past {
		end = max(end, a.Return)
		if in, err := events.DecodeIntent(a.Intent); err == nil {
			spoken[a.By] = max(spoken[a.By], in.Counter)
		}
	}
	began := time.Now().Add(-time.Duration(end))
	for place := range speakers {
		s := r.speaker(place, rand.New(rand.NewPCG(9, uint64(place))), began)
		s.counter = spoken[place]
		s.note(s.look(place))
		for want := 40; want >= 30; want -= 10 {
			s.ask(want)
			for of := range speakers {
				s.note(s.look(of))
			}
		}
		quiet = append(quiet, s.history...)
	}
	return quiet
}

// ask registers the speaker once more, whatever it was before, with another want.
func (s *speaker) ask(want int) {
	s.counter++
	in := events.Intent{Kind: events.Register, Container: speakerID(s.place), Counter: s.counter}
	in.Service, in.Want = services[s.place], want
	if g := s.seen; g != nil {
		in.Incarnation, in.Seen, in.Ceiling = g.Incarnation, g.Sequence, g.Units
	}
	a := act{By: s.place, Of: s.place, Intent: events.EncodeIntent(&in), Call: s.now()}
	s.send(a.Intent)
	answer := s.answered()
	a.Return = answer.Return
	s.note(a)
	s.note(answer)
}

// last returns the place of the last act of which that holds.
func last(t *testing.T, acts []act, such func(act) bool) int {
	t.Helper()
	for i, a := range slices.Backward(acts) {
		if such(a) {
			return i
		}
	}
	t.Fatal("the history has no such act")
	return 0
}

func looked(a act) bool { return len(a.Intent) == 0 }
func spoke(a act) bool  { return len(a.Intent) > 0 }

// regrant changes the grant that was found.
func (a *act) regrant(t *testing.T, change func(*events.Grant)) {
	t.Helper()
	g, err := events.DecodeGrant(a.Saw)
	must(t, err)
	change(g)
	a.Saw = []byte(plain(g))
}

func stale(t *testing.T, acts []act) []act {
	at := last(t, acts, looked)
	before := last(t, acts[:at], func(a act) bool {
		return looked(a) && a.Of == acts[at].Of && !bytes.Equal(a.Saw, acts[at].Saw)
	})
	acts[at].Saw = acts[before].Saw
	return acts
}

// lost is an intent whose sender finds it acknowledged, and the numbers of before.
func lost(t *testing.T, acts []act) []act {
	at := last(t, acts, spoke)
	before, err := events.DecodeGrant(acts[last(t, acts[:at], func(a act) bool { return looked(a) && a.Of == acts[at].By })].Saw)
	must(t, err)
	for i := range acts[at+1:] {
		if a := &acts[at+1+i]; a.Of == acts[at].By {
			a.regrant(t, func(g *events.Grant) {
				before.Ack, before.Anchor, before.Verb = g.Ack, g.Anchor, g.Verb
				*g = *before
			})
		}
	}
	return acts
}

// doubled is a container that is charged once more for what it has.
func doubled(t *testing.T, acts []act) []act {
	at := last(t, acts, func(a act) bool {
		g, err := events.DecodeGrant(a.Saw)
		return looked(a) && err == nil && g.Units > 0
	})
	acts[at].regrant(t, func(g *events.Grant) { g.Charge += g.Units })
	return acts
}

// swapped has two looks find each other's grant, each under its own name.
func swapped(t *testing.T, acts []act) []act {
	for at := len(acts) - 1; at > 0; at-- {
		a, b := &acts[at-1], &acts[at]
		if !looked(*a) || !looked(*b) || a.Of == b.Of {
			continue
		}
		a.Saw, b.Saw = b.Saw, a.Saw
		a.regrant(t, func(g *events.Grant) { g.Container = speakerID(a.Of) })
		b.regrant(t, func(g *events.Grant) { g.Container = speakerID(b.Of) })
		return acts
	}
	t.Fatal("nobody looked into two mailboxes in turn")
	return nil
}

// early has an intent sent only after its answer was found.
func early(t *testing.T, acts []act) []act {
	at := last(t, acts, spoke)
	end := acts[len(acts)-1].Return
	acts[at].Call, acts[at].Return = end+1, end+2
	return acts
}

func misheard(t *testing.T, acts []act) []act {
	at := last(t, acts, spoke)
	in, err := events.DecodeIntent(acts[at].Intent)
	must(t, err)
	in.Want++
	acts[at].Intent = events.EncodeIntent(in)
	return acts
}
