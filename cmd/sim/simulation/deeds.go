package simulation

import (
	"fmt"
	"time"
)

// prepare plans everything that the plan says will happen. What a deed leaves
// broken is mended at the end of its time, or of the time in which things happen.
func (w *world) prepare() {
	for _, d := range w.plan.Deeds {
		if d.Act == Rollback || d.Act == Promote || d.Act == Demote {
			w.imageBefore(d)
		}
	}
	for i := range w.plan.Deeds {
		d := &w.plan.Deeds[i]
		w.after(d.At, func() {
			w.tellf("DEED %v", *d)
			if over := w.do(d); over != nil {
				w.after(min(d.For, w.plan.Length-d.At), func() {
					w.tellf("OVER %v", *d)
					over()
				})
			}
		})
	}
}

// imageBefore keeps what Redis holds N milliseconds before the deed.
func (w *world) imageBefore(d Deed) {
	if w.images == nil {
		w.images = map[time.Duration]dataset{}
	}
	w.after(max(0, d.At-time.Duration(d.N)*time.Millisecond), func() { w.images[d.At] = w.server.data.image() })
}

// do does one deed, and returns how it is undone; nil: it is not.
func (w *world) do(d *Deed) (over func()) {
	switch d.Act {
	case Hang, Crash, Rollback, Promote, Demote, Wipe, Flush, Forget, Outage:
		return w.doToRedis(d)
	case Kill, Stop, Pause, Trap, Isolate, MuteTo, MuteBack, Lag, Policy:
		return w.nodes[d.Who%len(w.nodes)].suffer(d)
	case Restart:
		w.endBackends()
		return nil
	case Strangers, Away, Blind, Dim:
		if w.db == nil {
			return nil
		}
		return w.db.suffer(d)
	case Garbage:
		for i := range d.N {
			w.server.exec([]string{"XADD", w.keys.Intents, "*", []string{"i", "x"}[i%2], fmt.Sprintf("\x93garbage %d", i)})
		}
		w.server.serve()
		return nil
	case Operator:
		w.cleanup()
		return nil
	}
	if b := w.places[d.Who%len(w.places)]; b != nil && b.alive {
		return b.suffer(d)
	}
	return nil
}

// endBackends ends every backend: the database has stopped.
func (w *world) endBackends() {
	if w.db != nil {
		w.db.restart()
	}
	for _, b := range w.boxes {
		b.pool.lose()
	}
}

func (d *database) suffer(deed *Deed) (over func()) {
	switch deed.Act {
	case Strangers:
		return d.come(deed.N)
	case Away:
		d.down++
		d.w.endBackends()
		return func() { d.down-- }
	case Blind:
		d.blind++
		return func() { d.blind-- }
	case Dim:
		ms := time.Duration(deed.N) * time.Millisecond
		d.dim += ms
		return func() { d.dim -= ms }
	}
	return nil
}

func (w *world) doToRedis(d *Deed) (over func()) {
	s := w.server
	back := func(image func() dataset) func() {
		s.down++
		s.hangUp()
		return func() {
			if s.down--; s.down == 0 {
				s.restart(image())
			}
		}
	}
	older := func() dataset { return w.images[d.At].image() }
	switch d.Act {
	case Hang:
		s.stopped++
		return s.resume
	case Crash:
		return back(func() dataset { return s.data })
	case Rollback:
		w.judge.lose()
		undo := back(older)
		s.data = older()
		return undo
	case Promote:
		w.judge.lose()
		s.live()
		s.promote(older())
		s.down++
		return func() { s.down-- }
	case Demote:
		image := older()
		if w.judge.ledger == nil {
			image = s.data // no replica has what this one lost before
		}
		if end(image[w.keys.Head]) != end(s.data[w.keys.Head]) {
			w.judge.lose()
		}
		s.promote(image)
		s.down++
		return func() { s.down-- }
	case Wipe:
		w.judge.lose()
		s.data = dataset{}
		return back(func() dataset { return s.data })
	case Flush:
		w.judge.lose()
		s.data = dataset{}
	case Forget:
		s.forgetScripts()
	case Outage:
		for _, k := range w.links {
			k.noWay++
			k.noReply++
		}
		links := w.links
		return func() {
			for _, k := range links {
				k.noWay--
				k.noReply--
				k.open()
			}
		}
	}
	return nil
}

// end names the end of a history.
func end(head *item) string {
	if head == nil {
		return ""
	}
	return head.hash["incarnation"] + " " + head.hash["sequence"] + " " + head.hash["hash"]
}

// cut cuts a link, and mends it afterwards.
func (k *link) cut(to, back bool) (over func()) {
	n, m := int(count(to)), int(count(back))
	k.noWay += n
	k.noReply += m
	return func() {
		k.noWay -= n
		k.noReply -= m
		k.open()
	}
}

// slowDown has packets take up to so many milliseconds.
func (k *link) slowDown(ms int) (over func()) {
	d := time.Duration(ms) * time.Millisecond
	k.slow += d
	return func() { k.slow -= d }
}

func (n *node) suffer(d *Deed) (over func()) {
	again := func() { n.start(false) }
	switch d.Act {
	case Kill:
		n.kill()
		return again
	case Stop:
		n.stop()
		return again
	case Policy:
		n.configure(d.N)
		n.stop()
		return again
	case Pause:
		if p := n.run; p != nil {
			p.paused++
			return p.unpause
		}
	case Trap:
		if p := n.run; p != nil {
			p.trap = &trap{calls: d.N / steps, step: d.N % steps}
			return func() {
				p.trap = nil
				again()
			}
		}
	case Isolate:
		return n.link.cut(true, true)
	case MuteTo:
		return n.link.cut(true, false)
	case MuteBack:
		return n.link.cut(false, true)
	case Lag:
		return n.link.slowDown(d.N)
	}
	return nil
}

func (b *box) suffer(d *Deed) (over func()) {
	switch d.Act {
	case Want:
		b.act(func() { b.want(d.N) })
	case Leave:
		b.act(b.leave)
		return func() { b.act(func() { b.want(max(d.N, 1)) }) }
	case Die:
		b.die()
		place := d.Who % len(b.w.places)
		return func() {
			if b.w.places[place] == b {
				b.w.places[place] = b.w.newBox(place, b.member)
			}
		}
	case Freeze:
		b.paused++
		return b.unpause
	case CutTo:
		return b.link.cut(true, false)
	case CutBack:
		return b.link.cut(false, true)
	case Cut:
		return b.link.cut(true, true)
	case Slow:
		return b.link.slowDown(d.N)
	case Lossy:
		b.link.lossy = d.N
		return func() { b.link.lossy = 0 }
	case Twice:
		b.link.twice++
		return func() { b.link.twice-- }
	case Unlisten:
		b.unlisten()
	}
	return nil
}
