package arbiter_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// Twenty leaders are killed, half of them between a commit and its reply, while
// eight containers keep asking. Afterwards everything that was ever appended
// stands in the history exactly once.
func TestNoIntentIsLostOrCountedTwice(t *testing.T) {
	const kills, containers = 20, 8
	r := newRig(t, servertest.SharedRedis(t).URL())
	nodes := []*node{start(t, r.url, "n0"), start(t, r.url, "n1")}

	var mu sync.Mutex
	var sent []string // ids of all that was appended
	stop := make(chan struct{})
	var talking sync.WaitGroup
	talkers := make([]*container, containers)
	for i := range talkers {
		talkers[i] = r.container(fmt.Sprint("c", i))
		talking.Go(func() {
			ids := talkers[i].talk(stop)
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, ids...)
		})
	}
	for i := range kills {
		leader := leaderOf(t, nodes...)
		before := leader.State().Sequence
		until(t, "the leader is at work", func() bool { return leader.State().Sequence > before+100 })
		if i%2 == 0 {
			died := make(chan struct{})
			leader.tap.set(nil, func(call string, err error) error {
				if call != "commit" {
					return err
				}
				select {
				case <-died:
				default:
					close(died)
				}
				leader.tap.set(func(string) error { return errDead }, nil)
				return errDead // it was committed, but nobody was told
			})
			<-died
		}
		leader.kill()
		nodes = slices.DeleteFunc(nodes, func(n *node) bool { return n == leader })
		nodes = append(nodes, start(t, r.url, fmt.Sprint("n", i+2)))
	}
	close(stop)
	talking.Wait()
	for _, c := range talkers {
		c.answer()
	}
	for _, n := range nodes {
		n.stop()
	}

	records := r.audit()
	var taken []string
	stale := 0
	counters := map[string]int{}
	for _, rec := range records {
		if rec.Entry == "" {
			continue
		}
		taken = append(taken, rec.Entry)
		in, err := events.DecodeIntent(rec.Intent)
		must(t, err)
		switch rec.Refused {
		case events.NoReason:
			counters[in.Container]++
		case events.Stale:
			stale++
		default:
			t.Errorf("record %d was refused: %v", rec.Sequence, rec.Refused)
		}
	}
	slices.SortFunc(sent, byID) // the order in which Redis took them in
	if !slices.Equal(sent, taken) {
		t.Errorf("%d intents were appended, %d stand in the history", len(sent), len(taken))
	}
	for _, c := range talkers {
		if got := counters[c.id]; got != int(c.counter) {
			t.Errorf("%s said %d things, %d were accepted", c.id, c.counter, got)
		}
	}
	if n := len(own(records, events.Lead)); n < kills {
		t.Errorf("%d leaderships, %d leaders were killed", n, kills)
	}
	t.Logf("%d kills, %d intents, %d of them sent twice", kills, len(sent), stale)
}

// byID orders the ids of a stream's entries.
func byID(a, b string) int {
	aMillis, aCount, _ := strings.Cut(a, "-")
	bMillis, bCount, _ := strings.Cut(b, "-")
	return cmp.Or(byNumber(aMillis, bMillis), byNumber(aCount, bCount))
}

func byNumber(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// talk keeps saying things, some of them twice, without running too far ahead of
// the answers, and returns the ids of the entries.
func (c *container) talk(stop <-chan struct{}) (ids []string) {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-stop:
			return ids
		default:
		}
		c.counter++
		in := events.Intent{Kind: events.Request, Container: c.id, Counter: c.counter, Demand: events.Demand{Want: 1 + int(c.counter*7%20), Ceiling: 60}}
		if c.counter == 1 {
			in.Kind, in.Service = events.Register, "scraper"
		}
		for range 1 + c.counter%5/4 {
			id, err := c.rig.rdb.XAdd(context.Background(), &redis.XAddArgs{Stream: keys.Intents, Values: []any{"i", events.EncodeIntent(&in)}}).Result()
			if err != nil {
				c.rig.t.Errorf("append: %v", err)
				return ids
			}
			ids = append(ids, id)
		}
		if c.counter%20 != 0 {
			continue
		}
		for heard := false; !heard; {
			select {
			case <-stop:
				return ids
			case <-again.C:
			}
			look, err := c.post.Look(context.Background())
			heard = err == nil && look.Grant != nil && look.Grant.Ack+40 >= c.counter
		}
	}
}
