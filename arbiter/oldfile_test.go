package arbiter_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A leader is stopped between reading and committing. Meanwhile Redis comes back
// with a file from before: with the same incarnation, epoch and leader in it, and
// in one case with the very end of the history that the batch builds on.
func TestLeaderSleepsWhileRedisGoesBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		behind int // records that the old file lacks
	}{{"nothing is lost", 0}, {"records are lost", 5}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			server := servertest.NeedRedis(t, servertest.RedisOptions{Dir: dir, AppendOnly: true})
			r := newRig(t, server.URL())
			n := start(t, r.url, "n").leads(t)
			before := n.State()
			box := r.container("c")
			box.register("scraper", 20, 0)
			box.answer()

			old := filepath.Join(t.TempDir(), "old")
			copyOf := func() { must(t, os.CopyFS(old, os.DirFS(dir))) }
			if c.behind > 0 {
				copyOf()
				for range c.behind {
					box.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 30, Ceiling: 20}})
					box.answer()
				}
			}
			asleep, wake := make(chan struct{}), make(chan struct{})
			var once sync.Once
			n.tap.set(func(call string) error {
				if call == "commit" {
					once.Do(func() { close(asleep); <-wake })
				}
				return nil
			}, nil)
			box.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 40, Ceiling: 20}})
			<-asleep
			server.Kill()
			if c.behind == 0 {
				copyOf()
			}
			must(t, os.RemoveAll(filepath.Join(dir, "appendonlydir")))
			must(t, os.CopyFS(dir, os.DirFS(old)))
			must(t, server.Restart(t.Context()))
			close(wake)

			// It says what it holds until it is answered: the inbox may have lost it.
			until(t, "a new incarnation", func() bool {
				box.counter++
				in := events.Intent{Kind: events.Register, Container: "c", Counter: box.counter, Introduce: events.Introduce{Service: "scraper"}, Demand: events.Demand{Want: 30, Ceiling: 30}}
				if box.post.Send(t.Context(), events.EncodeIntent(&in)) != nil {
					return false
				}
				look, err := box.post.Look(t.Context())
				return err == nil && look.Grant != nil && look.Grant.Incarnation == look.Incarnation && look.Incarnation != before.Incarnation
			})
			n.stop()
			records := r.audit()
			begins := own(records, events.Begin)
			if len(begins) != 2 || begins[1].Barrier != policy().TTL {
				t.Errorf("%d incarnations; the last begins with %+v", len(begins), begins[len(begins)-1])
			}
			for _, rec := range records {
				if in, err := events.DecodeIntent(rec.Intent); err == nil && in.Want == 40 && rec.Incarnation == before.Incarnation {
					t.Errorf("record %d is what the leader had in mind before it slept", rec.Sequence)
				}
			}
		})
	}
}
