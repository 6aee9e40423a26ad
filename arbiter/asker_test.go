package arbiter_test

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
)

// An asker is a container that asks again when it is answered, a moment later.
type asker struct {
	*container
	over chan struct{}
	end  sync.Once
	done sync.WaitGroup
	sent []string // ids of all that was appended

	mu    sync.Mutex
	news  *sync.Cond
	heard int       // answers
	epoch uint64    // of the newest
	since time.Time // when that epoch was heard of first
}

// askEvery keeps the history of a long run short enough to be read at once.
const askEvery = 2 * time.Millisecond

func (r *rig) asker() *asker {
	r.t.Helper()
	a := &asker{container: r.container("asker"), over: make(chan struct{})}
	a.news = sync.NewCond(&a.mu)
	answers := make(chan uint64, 100)
	bell, err := a.post.Listen(context.Background(), func(g *events.Grant) {
		a.note(g)
		answers <- g.Ack
	})
	must(r.t, err)
	a.done.Go(func() {
		defer bell.Close()
		a.ask(answers)
	})
	r.t.Cleanup(func() { a.stop() })
	return a
}

// note remembers when an epoch was heard of first.
func (a *asker) note(g *events.Grant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard++
	if g.Epoch > a.epoch {
		a.epoch, a.since = g.Epoch, time.Now()
	}
	a.news.Broadcast()
}

func (a *asker) ask(answers <-chan uint64) {
	again := time.NewTicker(askEvery)
	defer again.Stop()
	for {
		select {
		case <-a.over:
			return
		case <-again.C:
		}
		a.counter++
		in := events.Intent{Kind: events.Register, Container: a.id, Counter: a.counter, Introduce: events.Introduce{Service: "api"}}
		in.Want, in.Ceiling = 1+int(a.counter%20), 60
		id, err := a.rig.rdb.XAdd(context.Background(), &redis.XAddArgs{Stream: keys.Intents, Values: []any{"i", events.EncodeIntent(&in)}}).Result()
		if err != nil {
			a.rig.t.Errorf("append: %v", err)
			return
		}
		a.sent = append(a.sent, id)
		for answered := false; !answered; {
			select {
			case <-time.After(patience):
				a.rig.t.Errorf("no answer to intent %d", a.counter)
				return
			case ack := <-answers:
				answered = ack == a.counter
			}
		}
	}
}

// newest returns the epoch of the newest answer.
func (a *asker) newest() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.epoch
}

// after waits for the first answer of a later epoch, and returns when it came.
func (a *asker) after(epoch uint64) time.Time {
	a.await(func() bool { return a.epoch > epoch })
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.since
}

// hears waits for so many more answers.
func (a *asker) hears(more int) {
	a.mu.Lock()
	enough := a.heard + more
	a.mu.Unlock()
	a.await(func() bool { return a.heard >= enough })
}

func (a *asker) await(holds func() bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	late := false
	defer time.AfterFunc(patience, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		late = true
		a.news.Broadcast()
	}).Stop()
	for !holds() {
		if late {
			a.rig.t.Fatalf("no answer within %v", patience)
		}
		a.news.Wait()
	}
}

// stop has it ask no more once it is answered, and returns the ids of all that it
// said.
func (a *asker) stop() []string {
	a.end.Do(func() { close(a.over) })
	a.done.Wait()
	return a.sent
}
