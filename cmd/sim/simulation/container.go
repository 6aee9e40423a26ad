package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// As the client does it.
const (
	lookEvery   = 5 * time.Second
	looksPerTTL = 8
	relisten    = 200 * time.Millisecond
)

// How long the client library waits before it tries again, where it does.
const (
	minBackoff = 8 * time.Millisecond
	maxBackoff = 512 * time.Millisecond
)

// libraryRetries returns how often the client library tries again by itself, as
// the containers' client sets it up.
func libraryRetries() int {
	rdb, err := events.OpenRedis("redis://127.0.0.1:1", 1)
	if err != nil {
		panic(err)
	}
	defer rdb.Close()
	return rdb.Options().MaxRetries
}

// joinWithin is how long containers wait for a first answer before they go on
// in local mode.
const joinWithin = 3 * time.Second

// A box is a container: the client's real lease logic, and pools and courier
// that do what the client's do. Its pools open all that they may at once, and
// are slow to give anything back.
type box struct {
	w      *world
	member Member
	id     string
	tag    string
	dice   *rand.Rand
	link   *link
	born   time.Duration

	slowClock bool // slower than the drift margin allows for

	m       *lease.Machine
	pool    pool
	heart   heart
	alive   bool
	paused  int
	leaving bool // it says goodbye when its connections are gone

	sending  bool   // an intent is on its way
	wakes    *event // when something changes by itself
	looks    *event
	listens  bool
	redisOff bool
	pending  []func() // what happened while it was paused

	ghost ghost
}

func (w *world) newBox(place int, member Member) *box {
	n := len(w.boxes)
	b := &box{
		w: w, member: member, id: fmt.Sprintf("c%d.%d", place, n), dice: dice(w.plan.Seed, fmt.Sprint("box", n)),
		link: w.newLink(fmt.Sprint("box", n)), born: w.now, alive: true,
	}
	b.tag = events.Tag(b.id)
	b.slowClock = member.Rate < slowest(w.plan)
	b.pool.box = b
	b.ghost.stranger = true
	b.m = lease.New(lease.Config{
		Container: b.id, Service: member.Service, Strict: member.Strict, TTL: member.TTL,
		Local: member.Local, JoinWithin: joinWithin,
	}, b.clock(), 0)
	b.m.SetWant(b.clock(), member.Want)
	w.boxes = append(w.boxes, b)
	b.subscribe()
	if member.Lazy {
		b.pool.vary()
	}
	b.poke()
	return b
}

// clock is what the container's clock shows.
func (b *box) clock() time.Time { return clock(b.w.now, b.member.Rate) }

// onTime runs something in d of the container's time, or when it runs again
// after that.
func (b *box) onTime(d time.Duration, do func()) *event {
	return b.w.after(d*1000/time.Duration(b.member.Rate), func() { b.act(do) })
}

// act runs something in the container's process.
func (b *box) act(do func()) {
	switch {
	case !b.alive:
	case b.paused > 0:
		b.pending = append(b.pending, do)
	default:
		do()
	}
}

// poke does what is due: it makes the pool follow the limit, and sends.
func (b *box) poke() {
	b.pool.follow()
	b.send()
	b.wakes.cancel()
	b.wakes = b.onTime(max(b.m.Next(b.clock()).Sub(b.clock()), time.Millisecond), b.poke)
	b.prod()
	b.w.watch(b)
}

// send sends the intent that is due, one at a time, as the courier does.
func (b *box) send() {
	if b.sending {
		return
	}
	now := b.clock()
	kind, due := b.m.Due(now, b.pool.open())
	if b.leaving && b.pool.open() == 0 {
		b.leaving = false
		kind, due = events.Release, true
	}
	if !due {
		return
	}
	in := b.m.Send(now, kind, lease.Usage{Held: b.pool.open()})
	b.ghost.sent(b, in)
	b.pool.follow() // the promise lowers the limit
	b.sending = true
	data := events.EncodeIntent(in)
	b.append(data, b.w.retries)
	if b.link.twice > 0 && one(b.dice, 2) {
		b.w.repeat(data, between(b.dice, 0, 5*time.Second))
	}
}

// append appends an intent. The client library would append it again after an
// error, if it were told to.
func (b *box) append(data []byte, retries int) {
	b.ask([][]string{{"XADD", b.w.keys.Intents, "*", "i", string(data)}}, func(_ []any, err error) {
		if err != nil && err != errTimeout && retries > 0 {
			b.onTime(between(b.dice, minBackoff, maxBackoff), func() { b.append(data, retries-1) })
			return
		}
		b.sending = false
		b.poke()
	})
}

// ask makes a call to Redis.
func (b *box) ask(commands [][]string, done func([]any, error)) {
	b.link.ask(commands, 0, func(replies []any, err error) {
		b.act(func() {
			b.noteRedis(err)
			done(replies, err)
		})
	})
}

// noteRedis takes whether a call got through.
func (b *box) noteRedis(err error) {
	switch {
	case err != nil:
		b.redisOff = true
	case b.redisOff:
		b.redisOff = false
		b.m.Reached()
	}
}

// subscribe listens to the mailbox, and looks into it from then on.
func (b *box) subscribe() {
	b.looks.cancel()
	b.link.ask([][]string{{"EXISTS", b.w.keys.Leader}}, 0, func(_ []any, err error) {
		b.act(func() {
			if err != nil {
				b.looks = b.onTime(between(b.dice, relisten, 2*relisten), b.subscribe)
				return
			}
			b.listens = true
			b.w.server.subscribers[b.w.keys.Mailbox(b.id)] = b.ring
			b.look()
		})
	})
}

// ring carries a grant to the container.
func (b *box) ring(message string) {
	b.link.back(func() {
		b.act(func() { b.accept(message) })
	})
}

// unlisten loses the subscription.
func (b *box) unlisten() {
	delete(b.w.server.subscribers, b.w.keys.Mailbox(b.id))
	if !b.listens {
		return
	}
	b.listens = false
	b.w.after(b.link.latency(), func() { b.act(b.subscribe) })
}

func (b *box) accept(message string) *events.Grant {
	g, err := events.DecodeGrant([]byte(message))
	if err != nil {
		panic(err)
	}
	if b.m.Accept(b.clock(), g) {
		b.ghost.accepted(b, g)
		b.w.tellf("%s: accepts %v %v: %d units, charge %d, fallback %d (%v)", b.id, g.Sequence, g.Verb, g.Units, g.Charge, g.Fallback, g.Reason)
	}
	b.poke()
	return g
}

// look reads the mailbox.
func (b *box) look() {
	b.ask(b.looking(), func(replies []any, err error) {
		every := lookEvery
		if g := b.m.Grant(); g != nil {
			every = min(every, g.TTL/looksPerTTL)
		}
		b.looks.cancel()
		b.looks = b.onTime(between(b.dice, every/2, every), b.look)
		if err == nil {
			b.found(replies)
		}
	})
}

// die is kill -9.
func (b *box) die() {
	if b.excused() { // the database notices that it is gone
		b.ghost.excused = b.w.now + recovery
	}
	b.alive = false
	b.ghost.died = b.w.now
	b.pending = nil
	b.pool.die()
	delete(b.w.server.subscribers, b.w.keys.Mailbox(b.id))
}

// want changes how many connections the container wants.
func (b *box) want(n int) {
	b.leaving = false
	b.m.SetWant(b.clock(), n)
	b.poke()
}

// leave gives everything back.
func (b *box) leave() {
	b.m.SetWant(b.clock(), 0)
	b.leaving = true
	b.poke()
}

// unpause lets a container that stood still go on.
func (b *box) unpause() {
	if b.paused--; b.paused > 0 || !b.alive {
		return
	}
	b.ghost.excused = b.w.now + recovery
	pending := b.pending
	b.pending = nil
	b.poke()
	for _, do := range pending {
		b.act(do)
	}
}
