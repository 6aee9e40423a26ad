package events_test

import (
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

func TestReadIntents(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		big := strings.Repeat("x", 1<<20)
		srv.tell("XADD", srv.keys.Intents, "1-1", "i", "good")
		srv.tell("XADD", srv.keys.Intents, "1-2", "i", big)
		srv.tell("XADD", srv.keys.Intents, "1-3", "b", "2", "a", "1")
		srv.tell("XADD", srv.keys.Intents, "1-4", "j", big)
		srv.tell("XADD", srv.keys.Intents, "1-5", "i", "")
		entries, err := log.ReadIntents(t.Context(), "0-0", 10, time.Second)
		must(t, err)
		if len(entries) != 5 {
			t.Fatalf("%d entries", len(entries))
		}
		for i, want := range []struct {
			body string
			size int
		}{
			{"good", 4},
			{big[:events.MaxParkedBytes], len(big)},
			{"fields: a=1, b=2", 16},
			{"fields: j=" + big[:events.MaxParkedBytes-10], events.MaxParkedBytes},
			{"", 0},
		} {
			if string(entries[i].Body) != want.body || entries[i].Size != want.size {
				t.Errorf("entry %d: %d bytes %.40q of %d", i, len(entries[i].Body), entries[i].Body, entries[i].Size)
			}
		}
		entries, err = log.ReadIntents(t.Context(), "1-2", 2, 0)
		must(t, err)
		if len(entries) != 2 || entries[0].ID != "1-3" {
			t.Errorf("after a cursor: %v", entries)
		}
	})
}

func TestReadWaits(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		start := time.Now()
		entries, err := log.ReadIntents(t.Context(), "0-0", 10, 20*time.Millisecond)
		if len(entries) != 0 || err != nil || time.Since(start) < 20*time.Millisecond {
			t.Errorf("%v, %v after %v", entries, err, time.Since(start))
		}
		got := make(chan int, 1)
		go func() {
			records, _ := log.ReadRecords(t.Context(), 0, 10, time.Second)
			got <- len(records)
		}()
		s := win(t, log, "a")
		must(t, log.Commit(t.Context(), s, batch(s, 1)))
		if n := <-got; n != 1 {
			t.Errorf("%d records", n)
		}
	})
}

func TestInterrupt(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		done := make(chan error, 1)
		go func() {
			for { // the interruption may come before the read
				if _, err := log.ReadIntents(t.Context(), "0-0", 10, time.Second); err != nil {
					done <- err
					return
				}
			}
		}()
		log.Interrupt()
		start := time.Now()
		<-done
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("a blocked read took %v to notice", took)
		}
		win(t, log, "a") // calls still work
	})
}

func TestOpenLogRefusesBadNames(t *testing.T) {
	for _, budget := range []string{"", "with space", "with{brace}", strings.Repeat("x", events.MaxBudgetBytes+1)} {
		if _, err := events.OpenLog("redis://127.0.0.1:1", budget); err == nil {
			t.Errorf("budget %q was accepted", budget)
		}
	}
}
