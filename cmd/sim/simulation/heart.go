package simulation

import (
	"fmt"
	"time"

	"github.com/conncord/conncord/events"
)

// As the client does it: client/heart.go.
const (
	beatRoom   = 2
	minBeatGap = 50 * time.Millisecond
	idleHeart  = time.Minute
)

// A heart gives a container's signs of life.
type heart struct {
	busy  bool // one is on its way, or was just before
	rung  bool // another one is wanted
	wakes time.Time
	next  *event
}

// prod has the heart beat at once if that is needed.
func (b *box) prod() {
	h, now := &b.heart, b.clock()
	every := b.m.BeatEvery()
	if !b.m.BeatNow(now) && (every == 0 || !now.Add(every).Before(h.wakes)) {
		return
	}
	if h.busy {
		h.rung = true
		return
	}
	b.beat()
}

// beat gives a sign of life if one is wanted, and plans the next.
func (b *box) beat() {
	h := &b.heart
	every := b.m.BeatEvery()
	sent := b.clock()
	h.next.cancel()
	h.busy, h.rung = true, false
	rest := func() {
		b.onTime(minBeatGap, func() {
			h.busy = false
			h.wakes = sent.Add(every)
			if every == 0 {
				h.wakes = sent.Add(idleHeart)
			}
			if h.rung {
				b.beat()
				return
			}
			h.next = b.onTime(h.wakes.Sub(b.clock()), b.beat)
		})
	}
	if every == 0 {
		rest()
		return
	}
	commands := append([][]string{{"SET", b.w.keys.Beat(b.id), b.m.Beat().String(), "EX", "600"}}, b.looking()...)
	within := every * beatRoom * 1000 / time.Duration(b.member.Rate)
	b.link.askWithin(min(within, events.CallTimeout), commands, 0, func(replies []any, err error) {
		b.act(func() {
			if err != errTimeout { // a short one of its own says nothing about Redis
				b.noteRedis(err)
			}
			if err == nil {
				look := b.found(replies[1:])
				b.m.Beaten(b.clock(), sent, look)
				b.ghost.beat = true
				b.poke()
			}
			rest()
		})
	})
}

// looking is how a container looks into its mailbox.
func (b *box) looking() [][]string {
	return [][]string{{"GET", b.w.keys.Mailbox(b.id)}, {"HGET", b.w.keys.Head, "incarnation"}, {"EXISTS", b.w.keys.Leader}}
}

// found takes what it found.
func (b *box) found(replies []any) (look events.Look) {
	look.Led = replies[2] == int64(1)
	if text, ok := replies[1].(string); ok {
		fmt.Sscan(text, &look.Incarnation)
	}
	b.m.Learn(look)
	if text, ok := replies[0].(string); ok {
		look.Grant = b.accept(text)
	} else {
		b.poke()
	}
	return look
}
