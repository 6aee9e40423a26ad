package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// A server is the model of the Redis that everybody shares. What one call asks
// is done at one moment.
type server struct {
	loop  *loop
	dice  *rand.Rand
	epoch time.Duration // Unix time at the world's beginning

	data          dataset
	scripts       map[string]*lua.FunctionProto // in the memory of the process alone
	lua           *lua.LState
	runID, replID string
	formerID      string // the replication id before the last promotion
	lives         int
	promotions    int
	hangUps       int // how often all connections were closed

	down, stopped int // how many faults keep it from running, and from answering
	waiting       []*blocked
	subscribers   map[string]func(message string)
	hung          []func() // what arrived while it was stopped

	// The world listens.
	appended func(key, id string, fields []string)
	dropped  func() // every connection was closed
}

// A blocked is a read that waits for a stream to grow.
type blocked struct {
	key    string
	behind id
	count  int
	reply  func(any)
	end    *event
}

func newServer(l *loop, seed uint64) *server {
	s := &server{loop: l, dice: dice(seed, "redis"), epoch: 1_700_000_000 * time.Second, data: dataset{}, subscribers: map[string]func(string){}}
	s.live()
	return s
}

// live begins another life of the server's process.
func (s *server) live() {
	s.lives++
	s.runID = fmt.Sprintf("%040x", s.lives)
	s.replID, s.formerID = fmt.Sprintf("%040x", 0xa0000+s.lives), fmt.Sprintf("%040x", 0)
	s.scripts = map[string]*lua.FunctionProto{}
	s.lua = nil
}

// restart replaces the process by another one that has only what the image holds.
func (s *server) restart(image dataset) {
	s.hangUp()
	s.live()
	s.data = image
}

// promote makes the process the master of what the image holds. It followed
// another master before.
func (s *server) promote(image dataset) {
	s.hangUp()
	s.data = image
	s.promotions++
	s.formerID, s.replID = s.replID, fmt.Sprintf("%040x", 0xb0000+s.promotions)
}

// forgetScripts is SCRIPT FLUSH.
func (s *server) forgetScripts() { s.scripts = map[string]*lua.FunctionProto{} }

// hangUp closes every connection.
func (s *server) hangUp() {
	for _, b := range s.waiting {
		b.end.cancel()
		b.reply(errReset)
	}
	s.waiting, s.hung = nil, nil
	s.hangUps++
	s.dropped()
}

// arrive lets a request be done as soon as the server can. Nothing comes back
// while it is down or when it goes down before that: fail is called then.
func (s *server) arrive(do func(), fail func(error)) {
	switch {
	case s.down > 0:
		fail(errRefused)
	case s.stopped > 0:
		life := s.lives
		s.hung = append(s.hung, func() {
			if s.lives == life {
				do()
			}
		})
	default:
		do()
	}
}

// resume lets the server answer again.
func (s *server) resume() {
	if s.stopped--; s.stopped > 0 {
		return
	}
	hung := s.hung
	s.hung = nil
	for _, do := range hung {
		do()
	}
}

// block answers a read as soon as there is something behind the id, or with
// nothing when the time is over. (XREAD COUNT n BLOCK ms STREAMS key id.)
func (s *server) block(args []string, patience time.Duration, reply func(any)) *blocked {
	got := s.exec(args)
	if got != nil {
		reply(got)
		return nil
	}
	n, _ := strconv.Atoi(args[2])
	from, _ := parseID(args[5], 0)
	b := &blocked{key: args[4], behind: from, count: n, reply: reply}
	b.end = s.loop.after(patience, func() {
		s.forget(b)
		reply(nil)
	})
	s.waiting = append(s.waiting, b)
	return b
}

// forget removes a read that nobody waits for any more.
func (s *server) forget(b *blocked) {
	b.end.cancel()
	s.waiting = slices.DeleteFunc(s.waiting, func(x *blocked) bool { return x == b })
}

// serve answers the blocked reads for which something has come. Redis does so
// after each command.
func (s *server) serve() {
	for i := 0; i < len(s.waiting); {
		b := s.waiting[i]
		it := s.find(b.key)
		var found []entry
		if it != nil {
			found = it.stream.after(b.behind, b.count)
		}
		if len(found) == 0 {
			i++
			continue
		}
		s.forget(b)
		b.reply([]any{[]any{b.key, list(found)}})
	}
}

// publish hands a message to whoever listens.
func (s *server) publish(channel, message string) any {
	deliver := s.subscribers[channel]
	if deliver != nil {
		deliver(message)
	}
	return count(deliver != nil)
}
