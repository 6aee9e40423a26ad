package client

import (
	"context"
	"log/slog"
	"time"

	"github.com/conncord/conncord/client/lease"
)

// outage is what the coordinator knows about Redis. Calls to it are made by
// several goroutines, and the end of one says how Redis was while it lasted: one
// that began before another one ended with the opposite result proves nothing.
// Nor does a failure soon after Redis came back: the client library serves errors
// of dials that it began earlier.
type outage struct {
	off            bool
	worked, failed time.Time // when a call last ended so
	back           time.Time // when the last outage ended
}

// staleError is for how long after an outage a failure may be an old one.
const staleError = time.Second

// note takes the result of a call, and reports whether it changes the picture.
func (o *outage) note(began, ended time.Time, err error) (changed bool) {
	before := o.off
	switch {
	case err == nil && began.After(o.failed):
		if o.off {
			o.back = ended
		}
		o.off, o.worked = false, ended
	case err != nil && began.After(o.worked) && began.After(o.back.Add(staleError)):
		o.off, o.failed = true, ended
	}
	return o.off != before
}

// noteRedis takes the result of a call to Redis, and logs when Redis goes away and
// when it is back.
func (c *Coordinator) noteRedis(began time.Time, err error) {
	if c.ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.redis.note(began, now, err) {
		return
	}
	if !c.redis.off {
		c.note(slog.LevelInfo, "Redis available again")
		c.machine.Reached()
		ring(c.courierBell)
		return
	}
	g := c.grantLocked(now)
	args := []any{"error", err, "mode", g.Mode.String(), "connections", g.Conns}
	if g.Mode == lease.Leased {
		args = append(args, "lease_left", g.Until.Sub(now).Round(time.Second))
	}
	c.note(slog.LevelWarn, "Redis unavailable", args...)
}

// diaryRoom is how many log lines can wait to be written; a coordinator writes
// one per change of its situation.
const diaryRoom = 64

// note writes a log line, but not now: a log handler may be slow, or ask the
// coordinator itself, and the caller holds the lock. When there is no room, the
// line is lost.
func (c *Coordinator) note(level slog.Level, message string, args ...any) {
	select {
	case c.diary <- func() { c.log.Log(context.Background(), level, message, args...) }:
	default:
	}
}

// narrate writes the log lines until the coordinator ends.
func (c *Coordinator) narrate() {
	for {
		select {
		case write := <-c.diary:
			write()
		case <-c.ctx.Done():
			for len(c.diary) > 0 { // nobody else takes from it
				(<-c.diary)()
			}
			return
		}
	}
}
