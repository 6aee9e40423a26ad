package events

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// MaxStatusBytes bounds a status: MaxContainers containers with the longest
// names, several times what one takes.
const MaxStatusBytes = 32 << 20

// A Glance is how a budget stands, beside what is in the history.
type Glance struct {
	Leader                       string // id of the arbiter that leads; empty: none does
	Incarnation, Epoch, Sequence uint64 // of the newest record
	Now                          int64  // ledger time when the leader last extended its lease, milliseconds
}

// Glance returns how the budget stands.
func (l *Log) Glance(ctx context.Context) (Glance, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	var leader *redis.StringCmd
	var head *redis.SliceCmd
	_, err := l.calls.Pipelined(ctx, func(p redis.Pipeliner) error {
		leader = p.Get(ctx, l.keys.Leader)
		head = p.HMGet(ctx, l.keys.Head, "incarnation", "epoch", "sequence", "now")
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Glance{}, fmt.Errorf("glance at the budget: %w", err)
	}
	g := Glance{Leader: leader.Val()}
	numbers := make([]uint64, 4)
	for i, v := range head.Val() {
		text, _ := v.(string)
		if text == "" {
			continue
		}
		if numbers[i], err = strconv.ParseUint(text, 10, 64); err != nil {
			return Glance{}, fmt.Errorf("glance at the budget: head of the history: %w: %q", ErrMalformed, text)
		}
	}
	g.Incarnation, g.Epoch, g.Sequence, g.Now = numbers[0], numbers[1], numbers[2], int64(numbers[3])
	return g, nil
}

// Oldest returns the sequence of the oldest record that is still in the history,
// 0 if there is none.
func (l *Log) Oldest(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	found, err := l.calls.XRangeN(ctx, l.keys.Grants, "-", "+", 1).Result()
	if err != nil {
		return 0, fmt.Errorf("find the oldest record: %w", err)
	}
	if len(found) == 0 {
		return 0, nil
	}
	sequence, err := parseSequence(found[0].ID)
	if err != nil {
		return 0, fmt.Errorf("find the oldest record: %w", err)
	}
	return sequence, nil
}

// maxPicked is how many records Pick asks for at once.
const maxPicked = 500

// Pick returns the encoded records with these sequences; nil in the place of one
// that is not in the history any more.
func (l *Log) Pick(ctx context.Context, sequences []uint64) ([][]byte, error) {
	records := make([][]byte, 0, len(sequences))
	for len(sequences) > 0 {
		n := min(len(sequences), maxPicked)
		some, err := l.pick(ctx, sequences[:n])
		if err != nil {
			return nil, fmt.Errorf("pick records: %w", err)
		}
		records = append(records, some...)
		sequences = sequences[n:]
	}
	return records, nil
}

func (l *Log) pick(ctx context.Context, sequences []uint64) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	cmds := make([]*redis.XMessageSliceCmd, len(sequences))
	_, err := l.calls.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, sequence := range sequences {
			id := recordID(sequence)
			cmds[i] = p.XRangeN(ctx, l.keys.Grants, id, id, 1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	records := make([][]byte, len(cmds))
	for i, cmd := range cmds {
		if m := cmd.Val(); len(m) == 1 {
			if body, ok := m[0].Values[recordField].(string); ok {
				records[i] = []byte(body)
			}
		}
	}
	return records, nil
}

//go:embed publish.lua
var publishText string
var publishScript = redis.NewScript(publishText)

//go:embed leave.lua
var leaveText string
var leaveScript = redis.NewScript(leaveText)

// TakeOffice makes the projector the one that publishes the status, for so long,
// and reports whether it is. Of several one is enough, and only one is.
func (l *Log) TakeOffice(ctx context.Context, projector string, hold time.Duration) (bool, error) {
	return l.publish(ctx, projector, hold, nil, nil)
}

// PublishStatus stores the status for those who ask, and tells the channel the
// news. It reports false when another projector is in office, and then does
// nothing.
func (l *Log) PublishStatus(ctx context.Context, projector string, hold time.Duration, status, news []byte) (bool, error) {
	if len(status) > MaxStatusBytes {
		return false, fmt.Errorf("publish the status: %d bytes: %w: at most %d are allowed", len(status), ErrOversize, MaxStatusBytes)
	}
	return l.publish(ctx, projector, hold, status, news)
}

func (l *Log) publish(ctx context.Context, projector string, hold time.Duration, status, news []byte) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	done, err := publishScript.Run(ctx, l.calls, []string{l.keys.Office, l.keys.Status}, projector, hold.Milliseconds(), status, news).Int()
	if err != nil {
		return false, fmt.Errorf("publish the status: %w", err)
	}
	return done == 1, nil
}

// ReadStatus returns the newest status as it was published, nil if there is none.
func (l *Log) ReadStatus(ctx context.Context) ([]byte, error) {
	return readStatus(ctx, l.calls, l.keys)
}

// LeaveOffice lets another projector publish.
func (l *Log) LeaveOffice(ctx context.Context, projector string) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	if err := leaveScript.Run(ctx, l.calls, []string{l.keys.Office}, projector).Err(); err != nil {
		return fmt.Errorf("leave the office of publishing the status: %w", err)
	}
	return nil
}
