package arbiter_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A past is a history with one container, two leaderships and a snapshot at the
// beginning of the second.
func (r *rig) past() (before arbiterState) {
	r.t.Helper()
	first := start(r.t, r.url, "first").leads(r.t)
	c := r.container("c")
	c.register("api", 7, 0)
	c.answer()
	first.stop()
	second := start(r.t, r.url, "second").leads(r.t)
	until(r.t, "the snapshot is saved", func() bool {
		snap, err := r.snapshot()
		return err == nil && snap != nil && snap.Epoch == second.State().Epoch
	})
	for i := range 5 {
		c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 8 + i, Ceiling: 60}})
		c.answer()
	}
	second.stop()
	records := r.audit()
	last := records[len(records)-1]
	return arbiterState{last.Incarnation, last.Epoch, last.Sequence, last.Charged}
}

type arbiterState struct {
	incarnation, epoch, sequence uint64
	charged                      int
}

func (r *rig) snapshot() (*events.Snapshot, error) {
	data, err := r.rdb.Get(context.Background(), keys.Snap).Bytes()
	if err != nil {
		return nil, err
	}
	return events.DecodeSnapshot(data)
}

// continues checks that a new arbiter goes on where the past ended.
func (r *rig) continues(before arbiterState) *node {
	r.t.Helper()
	n := start(r.t, r.url, "third").leads(r.t)
	until(r.t, "it has committed", func() bool { return n.State().Sequence > before.sequence })
	s := n.State()
	if s.Incarnation != before.incarnation || s.Epoch != before.epoch+1 || s.Charged != before.charged || s.Containers != 1 {
		r.t.Errorf("it goes on as %+v, before was %+v", s, before)
	}
	return n
}

func TestStartsFromTheSnapshot(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	before := r.past()
	snap, err := r.snapshot()
	must(t, err)
	r.do("XTRIM", keys.Grants, "MINID", "=", snap.Sequence+1)
	if n := len(r.raw()); n == 0 || n >= int(before.sequence) {
		t.Fatalf("%d records are left of %d", n, before.sequence)
	}
	r.continues(before)
}

func TestUselessSnapshot(t *testing.T) {
	for name, harm := range map[string]func(*rig){
		"garbage": func(r *rig) { r.do("SET", keys.Snap, "garbage") },
		"missing": func(r *rig) { r.do("DEL", keys.Snap) },
		"of another history": func(r *rig) {
			r.do("SET", keys.Snap, events.EncodeSnapshot(&events.Snapshot{Incarnation: 5, Epoch: 9, Sequence: 3}))
		},
		"altered": func(r *rig) {
			snap, err := r.snapshot()
			must(r.t, err)
			snap.Containers[0].Charge++
			snap.Containers[0].Units++
			r.do("SET", keys.Snap, events.EncodeSnapshot(snap))
		},
		"impossible": func(r *rig) {
			snap, err := r.snapshot()
			must(r.t, err)
			snap.Containers[0].Units = snap.Containers[0].Charge + 1
			r.do("SET", keys.Snap, events.EncodeSnapshot(snap))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, servertest.SharedRedis(t).URL())
			before := r.past()
			harm(r)
			r.continues(before).stop()
			r.audit()
		})
	}
}

// A record was altered. An arbiter that reads it must not continue that history,
// and says so; nothing that it does makes it worse.
func TestAlteredRecord(t *testing.T) {
	for name, alter := range map[string]func([]byte) []byte{
		"a byte of the hash": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a byte within":      func(b []byte) []byte { b[20] ^= 1; return b },
		"cut short":          func(b []byte) []byte { return b[:len(b)/2] },
		"empty":              func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, servertest.SharedRedis(t).URL())
			before := r.past()
			messages := r.raw()
			r.do("DEL", keys.Grants, keys.Snap)
			for i, m := range messages {
				data := []byte(m.Values["r"].(string))
				if i == 4 {
					data = alter(data)
				}
				r.do("XADD", keys.Grants, m.ID, "r", data)
			}
			n := start(t, r.url, "third")
			until(t, "it tried several times", func() bool { _, lost := n.tap.campaigns(); return lost >= 5 })
			if won, _ := n.tap.campaigns(); won > 0 || n.State().Leading {
				t.Error("it leads on a history that it cannot re-derive")
			}
			if n.log.count("this arbiter will not lead") != 1 {
				t.Error("it does not say why it does not lead, or more than once")
			}
			if got := r.rdb.HGet(t.Context(), keys.Head, "epoch").Val(); got != fmt.Sprint(before.epoch) {
				t.Errorf("the epoch is %s, was %d", got, before.epoch)
			}
			if got := len(r.raw()); got != len(messages) {
				t.Errorf("%d records, were %d", got, len(messages))
			}
		})
	}
}

// A standby that slept while the history was trimmed beyond its place catches up
// from the snapshot.
func TestStandbyBehindTheTrimmedHistory(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	leader := start(t, r.url, "leader").leads(t)
	standby := start(t, r.url, "standby")
	until(t, "the standby follows", func() bool { return standby.State().CaughtUp })
	asleep := make(chan struct{})
	standby.tap.set(func(string) error { <-asleep; return nil }, nil)
	c := r.container("c")
	c.register("api", 3, 0)
	for range 3000 { // enough for another snapshot
		c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	}
	c.answer()
	until(t, "another snapshot", func() bool {
		snap, err := r.snapshot()
		return err == nil && snap.Sequence > 2000
	})
	snap, err := r.snapshot()
	must(t, err)
	r.do("XTRIM", keys.Grants, "MINID", "=", snap.Sequence+1)
	standby.tap.set(nil, nil)
	close(asleep)
	until(t, "the standby has caught up", func() bool { return standby.State().Sequence == leader.State().Sequence })
	leader.stop()
	standby.leads(t)
	if s := standby.State(); s.Incarnation != snap.Incarnation || s.Containers != 1 {
		t.Errorf("it goes on as %+v", s)
	}
}

// A history that cannot be trimmed because its archive is behind is said, and so is
// that it can be again.
func TestArchiveIsBehind(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	before := r.past()
	log, err := events.OpenLog(r.url, budget)
	must(t, err)
	defer log.Close()
	trimmed := func(id string) *node {
		done := make(chan struct{}, 1)
		n := start(t, r.url, id, func(c *arbiter.Config) {
			p := c.Log.(*tap)
			p.Log.(*events.Log).Retain(events.Retention{Records: 8})
			p.set(nil, func(call string, err error) error {
				if call == "trim the history" {
					select {
					case done <- struct{}{}:
					default:
					}
				}
				return err
			})
			c.TrimAfter = time.Nanosecond
		}).leads(t)
		<-done
		n.stop()
		return n
	}
	must(t, log.SetArchived(t.Context(), before.incarnation, 1))
	if n := trimmed("behind"); n.log.count("because the archive is behind") != 1 {
		t.Error("that the archive is behind is not said once")
	}
	must(t, log.SetArchived(t.Context(), before.incarnation, before.sequence))
	if n := trimmed("ahead"); n.log.count("the archive") != 0 {
		t.Error("it is said of one that is not")
	}
}
