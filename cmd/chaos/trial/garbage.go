package trial

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
)

// litter puts into the inbox what is no intent, what may not be said, and what
// nobody is known to say, and takes away some of what is.
func (s *stage) litter(ctx context.Context) error {
	rdb, err := events.OpenRedis(s.world.Watch.URL(), 1)
	if err != nil {
		return err
	}
	defer rdb.Close()
	inbox := s.world.Keys().Intents
	for _, values := range s.rubbish() {
		if err := rdb.XAdd(ctx, &redis.XAddArgs{Stream: inbox, Values: values}).Err(); err != nil {
			return fmt.Errorf("litter the inbox: %w", err)
		}
	}
	if s.rng.IntN(2) == 0 { // an id after which there is hardly any
		last := &redis.XAddArgs{Stream: inbox, ID: "18446744073709551610-1", Values: []any{"i", "last"}}
		if err := rdb.XAdd(ctx, last).Err(); err != nil {
			return fmt.Errorf("litter the inbox: %w", err)
		}
	}
	if s.rng.IntN(2) == 0 {
		if err := rdb.XTrimMaxLen(ctx, inbox, 0).Err(); err != nil {
			return fmt.Errorf("empty the inbox: %w", err)
		}
	}
	return nil
}

// rubbish makes the entries.
func (s *stage) rubbish() (entries [][]any) {
	for range 1 + s.rng.IntN(20) {
		noise := make([]byte, s.rng.IntN(200))
		for i := range noise {
			noise[i] = byte(s.rng.Uint32())
		}
		entries = append(entries, []any{"i", noise})
	}
	forged := []events.Intent{
		{Kind: events.Begin},
		{Kind: events.Lead, Arbiter: "nobody"},
		{Kind: events.Resign, Arbiter: "nobody"},
		{Kind: events.Tick},
		{Kind: events.Request, Container: "stranger", Counter: 1, Demand: events.Demand{Want: 50}},
		{Kind: events.Renew, Container: "stranger", Counter: 2},
		{Kind: events.Release, Container: "stranger", Counter: 3},
	}
	for i := range forged {
		entries = append(entries, []any{"i", events.EncodeIntent(&forged[i])})
	}
	return append(entries,
		[]any{"i", make([]byte, events.MaxEntryBytes+1)},
		[]any{"i", make([]byte, 20*events.MaxEntryBytes)},
		[]any{"x", "another field"},
		[]any{"i", "one field", "j", "too many"})
}
