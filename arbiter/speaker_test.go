package arbiter_test

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
)

// A speaker is a container of which all is known that it did and saw.
type speaker struct {
	*rig
	place   int
	rng     *rand.Rand
	posts   [speakers]*events.Post // its own, and for looking into the others' mailboxes
	began   time.Time
	counter uint64
	seen    *events.Grant // the newest in its own mailbox
	history []act
}

func (r *rig) speaker(place int, rng *rand.Rand, began time.Time) *speaker {
	r.t.Helper()
	s := &speaker{rig: r, place: place, rng: rng, began: began}
	for i := range s.posts {
		s.posts[i] = r.container(speakerID(i)).post
	}
	return s
}

// services are what the speakers are: two of them compete within one service,
// and one has no minimum.
var services = [speakers]string{"api", "scraper", "viewer", "api", "batch"}

// hasty is how many of the speakers say two things at once now and then. With
// all of them the search for an order takes too long.
const hasty = 2

// act does one thing: it says something, or two things at once, and waits for
// the answer, or it looks into some mailbox.
func (s *speaker) act() {
	if s.rng.IntN(3) == 0 {
		s.note(s.look(s.rng.IntN(speakers)))
		return
	}
	open := []act{s.say()}
	if s.place < hasty && s.rng.IntN(3) == 0 && !s.leaving(open[0]) {
		open = append(open, s.say())
	}
	answer := s.answered()
	for _, a := range open {
		a.Return = answer.Return
		s.note(a)
	}
	s.note(answer)
}

// answered waits for the answer to all that the speaker said, and returns the
// look that found it. Those before are not noted: what an intent goes by is what
// its speaker had seen when it sent it, not what it saw meanwhile.
func (s *speaker) answered() (answer act) {
	until(s.t, "the answer for "+speakerID(s.place), func() bool {
		answer = s.look(s.place)
		return s.seen != nil && s.seen.Ack == s.counter
	})
	return answer
}

func (s *speaker) note(a act) { s.history = append(s.history, a) }
func (s *speaker) now() int64 { return time.Since(s.began).Nanoseconds() }

// look looks into a mailbox.
func (s *speaker) look(of int) act {
	a := act{By: s.place, Of: of, Call: s.now()}
	found, err := s.posts[of].Look(context.Background())
	a.Return = s.now()
	if err != nil {
		s.t.Error(err)
	}
	if found.Grant != nil {
		a.Saw, a.Sequence = []byte(plain(found.Grant)), found.Grant.Sequence
		if of == s.place {
			s.seen = found.Grant
		}
	}
	return a
}

// say sends an intent, some of them twice. A goodbye is not repeated: whoever
// says it twice is told that it is not known.
func (s *speaker) say() act {
	s.counter++
	in := events.Intent{Kind: events.Register, Container: speakerID(s.place), Counter: s.counter}
	in.Want = 1 + s.rng.IntN(30)
	if g := s.seen; g != nil && !g.Gone() {
		in.Incarnation, in.Seen = g.Incarnation, g.Sequence
		in.Ceiling = g.Units
		if s.rng.IntN(4) == 0 {
			in.Ceiling = g.Charge // it has not closed yet what was recalled
		}
		in.Kind = []events.Kind{events.Request, events.Request, events.Request, events.Renew, events.Renew, events.Register, events.Release}[s.rng.IntN(7)]
	}
	switch in.Kind {
	case events.Register:
		in.Service = services[s.place]
	case events.Release:
		in.Want = 0
		if s.rng.IntN(2) == 0 {
			in.Ceiling = 0
		}
	}
	a := act{By: s.place, Of: s.place, Intent: events.EncodeIntent(&in), Call: s.now()}
	s.send(a.Intent)
	if in.Kind != events.Release && s.rng.IntN(4) == 0 {
		s.send(a.Intent)
	}
	return a
}

func (s *speaker) send(intent []byte) {
	args := &redis.XAddArgs{Stream: keys.Intents, Values: []any{"i", intent}}
	if err := s.rdb.XAdd(context.Background(), args).Err(); err != nil {
		s.t.Errorf("append: %v", err)
	}
}

// leaving reports whether a speaker said goodbye.
func (s *speaker) leaving(a act) bool {
	in, err := events.DecodeIntent(a.Intent)
	return err != nil || in.Kind == events.Release
}
