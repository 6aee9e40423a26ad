package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// instant is a hook that carries commands to the model at once.
type instant struct{ s *server }

func (instant) DialHook(redis.DialHook) redis.DialHook {
	return func(context.Context, string, string) (net.Conn, error) { return nil, errClosed }
}

func (h instant) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		args, _ := words(cmd)
		set(cmd, h.s.exec(args))
		return cmd.Err()
	}
}

func (h instant) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			args, _ := words(cmd)
			set(cmd, h.s.exec(args))
		}
		return cmds[0].Err()
	}
}

func (h instant) client() *redis.Client {
	c := redis.NewClient(&redis.Options{MaxRetries: -1, Protocol: 2})
	c.AddHook(h)
	return c
}

// A twin is one of two servers that are asked the same.
type twin struct {
	log       *events.Log
	rdb       *redis.Client
	standings []events.Standing
	batches   []*events.Batch // of the newest standing
}

// TestModelIsLikeRedis does the same random things to the model and to a real
// server, through the same log and scripts, and compares every answer.
func TestModelIsLikeRedis(t *testing.T) {
	real := servertest.NeedRedis(t)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		model := newServer(&loop{now: dawn}, seed)
		rdb, err := events.OpenRedis(real.URL(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		log, err := events.OpenLog(real.URL(), budget)
		if err != nil {
			t.Fatal(err)
		}
		h := instant{model}
		twins := []*twin{
			{log: log, rdb: rdb},
			{log: events.NewLog(budget, h.client(), h.client()), rdb: h.client()},
		}
		for step := range 80 {
			op, arg := r.IntN(16), r.Uint64()
			want, got := twins[0].do(op, arg), twins[1].do(op, arg)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, step %d, operation %d: -Redis +model\n%s", seed, step, op, diff)
			}
		}
		for _, w := range twins {
			_ = w.log.Close()
			_ = w.rdb.Close()
		}
	}
}

// do does one thing, and returns everything that can be told about the outcome.
func (w *twin) do(op int, arg uint64) string {
	ctx, keys := context.Background(), events.NewKeys(budget)
	var s events.Standing
	if n := uint64(len(w.standings)); n > 0 {
		s = w.standings[n-1-min(n-1, arg%8/6)] // mostly the newest
	}
	switch op {
	case 0, 1:
		s, err := w.log.Campaign(ctx, fmt.Sprint("a", arg%3), time.Minute, arg|1, arg%5 == 0)
		s.Left = 0
		if err == nil && s.Won {
			w.standings, w.batches = append(w.standings, s), nil
		}
		return fmt.Sprintf("%+v %s", s, kind(err))
	case 2: // the leader's lease runs out
		return fmt.Sprint(w.rdb.Del(ctx, keys.Leader).Result())
	case 3:
		inbox, err := w.log.Extend(ctx, s, time.Minute, int64(arg%1e6))
		return fmt.Sprintf("%+v %s", inbox, kind(err))
	case 4, 5, 6, 7:
		b := w.batch(s, arg)
		err := w.log.Commit(ctx, s, b)
		if err == nil {
			w.batches = append(w.batches, b)
		}
		return fmt.Sprintf("%+v %s", b.Next, kind(err))
	case 8:
		records, err := w.log.ReadRecords(ctx, arg%20, 5, 0)
		return fmt.Sprintf("%q %s", records, kind(err))
	case 9:
		entries, err := w.log.ReadIntents(ctx, fmt.Sprintf("%d-0", arg%20), 5, 0)
		return fmt.Sprintf("%+v %s", entries, kind(err))
	case 10, 11:
		id, err := w.rdb.XAdd(ctx, &redis.XAddArgs{Stream: keys.Intents, ID: fmt.Sprintf("%d-%d", arg%60, arg%3), Values: []any{"i", fmt.Sprint(arg)}}).Result()
		return fmt.Sprintf("%s %s", id, kind(err))
	case 12:
		err := w.log.SaveSnapshot(ctx, s, &events.Snapshot{Incarnation: arg, Sequence: arg % 9})
		snap, failed := w.log.LoadSnapshot(ctx)
		return fmt.Sprintf("%s %+v %s", kind(err), snap, kind(failed))
	case 13:
		key, beat := keys.Beat(fmt.Sprint("c", arg%4)), events.Beat{Incarnation: arg, Count: arg % 1000}
		keep := []time.Duration{10 * time.Minute, 90200 * time.Millisecond, 0}[arg%3]
		pipe := w.rdb.Pipeline() // as a container does it
		pipe.Set(ctx, key, beat.String(), keep)
		mail, head, led := pipe.Get(ctx, keys.Mailbox("c1")), pipe.HGet(ctx, keys.Head, "incarnation"), pipe.Exists(ctx, keys.Leader)
		_, _ = pipe.Exec(ctx)
		left, failed := w.rdb.Do(ctx, "pttl", key).Int64()
		return fmt.Sprintf("%q %q %d %d %s", mail.Val(), head.Val(), led.Val(), (left+500)/1000, kind(failed))
	case 14: // of some that never were, and of keys that hold something else
		beats, err := w.log.ReadBeats(ctx, []string{"c1", "c0", fmt.Sprint("c", arg%6)})
		values, failed := w.rdb.MGet(ctx, keys.Head, keys.Leader, keys.Beat("c2")).Result()
		return fmt.Sprintf("%v %s %q %s", beats, kind(err), values, kind(failed))
	}
	switch arg % 6 {
	case 0:
		return kind(w.rdb.ScriptFlush(ctx).Err())
	case 1:
		return fmt.Sprint(w.rdb.Del(ctx, keys.Head).Result())
	case 2:
		return fmt.Sprint(w.rdb.Del(ctx, keys.Grants).Result())
	case 3:
		return fmt.Sprint(w.rdb.Del(ctx, keys.Intents).Result())
	case 4:
		return fmt.Sprint(w.rdb.Get(ctx, keys.Mailbox("c1")).Result())
	}
	return fmt.Sprint(w.rdb.Get(ctx, keys.Leader).Result())
}

// batch makes a batch on what this twin committed last; some are out of date, and
// some were committed before.
func (w *twin) batch(s events.Standing, arg uint64) *events.Batch {
	if n := len(w.batches); n > 0 && arg%7 == 0 {
		again := *w.batches[n-1]
		return &again
	}
	b := &events.Batch{BaseSequence: s.Sequence, BaseHash: s.Hash, BaseCursor: s.Cursor}
	if n := len(w.batches); n > 0 && arg%11 != 0 {
		last := w.batches[n-1]
		b.BaseSequence, b.BaseHash, b.BaseCursor = last.Sequence, last.Hash, last.Cursor
	}
	b.Sequence, b.Hash, b.Cursor = b.BaseSequence, events.Hash{byte(arg), 1}, fmt.Sprintf("%d-0", arg%60)
	for i := range 1 + arg%3 {
		b.Sequence++
		b.Records = append(b.Records, fmt.Appendf(nil, "record %d %d", arg, i))
	}
	if arg%2 == 0 {
		b.Mail = []events.Mail{{Container: "c1", Grant: fmt.Appendf(nil, "grant %d", arg), Keep: time.Minute}}
	}
	switch arg % 13 {
	case 0:
		b.Resign = true
	case 1, 2:
		b.Trim = true
	case 3, 4:
		b.Ahead = 3
	case 5:
		b.Cursor, b.Anew = events.NoCursor, true
	}
	return b
}

// kind tells errors apart as far as an arbiter does.
func kind(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, events.ErrFenced), errors.Is(err, events.ErrDiverged), errors.Is(err, redis.Nil):
		return err.Error()
	}
	return "failed"
}
