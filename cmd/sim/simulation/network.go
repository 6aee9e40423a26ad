package simulation

import (
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/events"
)

// A netError is what a client of Redis gets when the network or the server is
// away.
type netError string

func (e netError) Error() string { return string(e) }

const (
	errTimeout = netError("i/o timeout")
	errRefused = netError("connection refused")
	errReset   = netError("connection reset by peer")
	errClosed  = netError("client is closed")
)

// The time that a packet takes: mostly up to usual, now and then up to rare.
const (
	usual = 900 * time.Microsecond
	rare  = 60 * time.Millisecond
)

// A link is the network between one process and Redis.
type link struct {
	loop   *loop
	server *server
	dice   *rand.Rand

	noWay, noReply int           // how many faults keep packets from getting there, and back
	slow           time.Duration // packets take up to so long
	lossy          int           // one packet in so many is lost; 0: none
	twice          int           // how many faults have it deliver appends twice

	healed []func() // packets that the network kept, to be delivered when it works again
}

func (k *link) latency() time.Duration {
	switch {
	case k.slow > 0 && !one(k.dice, 4):
		return between(k.dice, 0, k.slow)
	case one(k.dice, 50):
		return between(k.dice, usual, rare)
	}
	return between(k.dice, usual/9, usual)
}

// open lets the network deliver what it kept, if it works again.
func (k *link) open() {
	if k.noWay > 0 {
		return
	}
	kept := k.healed
	k.healed = nil
	for _, deliver := range kept {
		k.loop.after(k.latency(), deliver)
	}
}

// send carries a request to the server, and calls fail with what the caller
// learns about it instead of a reply. A request that meets a cut is lost, or is
// delivered when the cut is mended, long after its sender gave up: a network
// goes on trying.
func (k *link) send(arrived func(), fail func(error)) {
	deliver := func() { k.server.arrive(arrived, fail) }
	if k.noWay > 0 {
		if one(k.dice, 2) {
			k.healed = append(k.healed, deliver)
		}
		return
	}
	if k.loses() {
		return
	}
	k.loop.after(k.latency(), deliver)
}

// loses reports whether a packet is lost.
func (k *link) loses() bool { return k.lossy > 0 && one(k.dice, k.lossy) }

// back carries a reply.
func (k *link) back(deliver func()) {
	if k.noReply > 0 || k.loses() {
		return
	}
	k.loop.after(k.latency(), deliver)
}

// A call is one exchange with the server: commands that are done one after the
// other, and their replies.
type call struct {
	link    *link
	done    func([]any, error) // called once
	over    bool
	timeout *event
	waiting *blocked

	executed func() // nil: nobody wants to know when the server did it
}

// ask starts a call that runs the commands and fails after patience at most. With
// block, the one command is a read that may wait so long.
func (k *link) ask(commands [][]string, block time.Duration, done func(replies []any, err error)) *call {
	return k.askWithin(events.CallTimeout, commands, block, done)
}

// askWithin is ask with another patience than usual.
func (k *link) askWithin(patience time.Duration, commands [][]string, block time.Duration, done func([]any, error)) *call {
	c := &call{link: k, done: done}
	c.timeout = k.loop.after(block+patience, func() { c.finish(nil, errTimeout) })
	fail := func(err error) { k.back(func() { c.finish(nil, err) }) }
	k.send(func() {
		if block > 0 {
			if !c.over {
				c.waiting = k.server.block(commands[0], block, func(reply any) { c.answer([]any{reply}) })
			}
			return
		}
		replies := make([]any, len(commands))
		for i, args := range commands {
			replies[i] = k.server.exec(args)
			k.server.serve()
		}
		c.answer(replies)
	}, fail)
	return c
}

// answer sends the replies back; a connection that was closed meanwhile is an
// answer as well.
func (c *call) answer(replies []any) {
	c.waiting = nil
	if c.executed != nil {
		c.executed()
	}
	s := c.link.server
	life, lost := s.hangUps, one(c.link.dice, 2)
	c.link.back(func() {
		err, closed := replies[0].(netError)
		switch {
		case closed:
			c.finish(nil, err)
		case s.hangUps != life && lost:
			c.finish(nil, errReset) // the connection was closed before the reply
		default:
			c.finish(replies, nil)
		}
	})
}

func (c *call) finish(replies []any, err error) {
	if c.over {
		return
	}
	c.give()
	c.done(replies, err)
}

// give gives the call up: nobody waits for it any more. It may still arrive.
func (c *call) give() {
	c.over = true
	c.timeout.cancel()
	if c.waiting != nil {
		c.link.server.forget(c.waiting)
		c.waiting = nil
	}
}
