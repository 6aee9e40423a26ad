package judge

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
)

const (
	// readAtOnce is how many records are read in one go.
	readAtOnce = 500

	// readBlock is how long a read waits for a record to come.
	readBlock = 100 * time.Millisecond

	// retryAfter is the pause after an error: Redis is away.
	retryAfter = 10 * time.Millisecond
)

// recordField is the one field of an entry of the history.
const recordField = "r"

// Follow reads the history, at a URL that always leads to the present master,
// until the context ends. It notices when Redis has forgotten something, and
// goes on from there. One at a time may read.
func (h *History) Follow(ctx context.Context, url, budget string) error {
	rdb, err := events.OpenRedis(url, 1)
	if err != nil {
		return err
	}
	defer rdb.Close()
	stream := events.NewKeys(budget).Grants
	for ctx.Err() == nil {
		if _, err := h.read(ctx, rdb, stream, readBlock); err != nil && ctx.Err() == nil {
			pause(ctx, retryAfter)
		}
	}
	return nil
}

// Finish reads what is left, once nobody follows any more.
func (h *History) Finish(ctx context.Context, url, budget string) error {
	rdb, err := events.OpenRedis(url, 1)
	if err != nil {
		return err
	}
	defer rdb.Close()
	for {
		n, err := h.read(ctx, rdb, events.NewKeys(budget).Grants, -1)
		if n == 0 || err != nil {
			return err
		}
	}
}

// read reads what is new, once, and returns how many records it took.
func (h *History) read(ctx context.Context, rdb *redis.Client, stream string, block time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, max(block, 0)+events.CallTimeout)
	defer cancel()
	streams, err := rdb.XRead(ctx, &redis.XReadArgs{
		Streams: []string{stream, idOf(h.end().sequence)}, Count: readAtOnce, Block: block,
	}).Result()
	switch {
	case errors.Is(err, redis.Nil) || err == nil && len(streams) == 0:
		return 0, h.rewind(ctx, rdb, stream) // perhaps there is less than there was
	case err != nil:
		return 0, err
	}
	for i, m := range streams[0].Messages {
		body, _ := m.Values[recordField].(string)
		if err := h.take([]byte(body), time.Now()); errors.Is(err, errRewind) {
			return i, h.goBack(ctx, rdb, stream, m.ID)
		}
	}
	return len(streams[0].Messages), nil
}

func idOf(sequence uint64) string { return strconv.FormatUint(sequence, 10) + "-0" }

// end returns the newest link of the chain.
func (h *History) end() link {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.chain) == 0 {
		return link{}
	}
	return h.chain[len(h.chain)-1]
}

// goBack finds the beginning of an incarnation of which a later record was seen
// first.
func (h *History) goBack(ctx context.Context, rdb *redis.Client, stream, id string) error {
	before := h.end()
	if err := h.rewind(ctx, rdb, stream); err != nil || h.end() != before {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = true
	return h.fail(fmt.Errorf("%w: an incarnation begins at %s without saying so", errHistory, id))
}

// rewind shortens the chain to what Redis still has of it.
func (h *History) rewind(ctx context.Context, rdb *redis.Client, stream string) error {
	newest, err := rdb.XRevRangeN(ctx, stream, "+", "-", 1).Result()
	if err != nil {
		return err
	}
	h.cut(sequenceOf(newest))
	for {
		last := h.end()
		if last.sequence == 0 {
			return nil
		}
		found, err := rdb.XRange(ctx, stream, idOf(last.sequence), idOf(last.sequence)).Result()
		if err != nil {
			return err
		}
		if len(found) == 1 {
			body, _ := found[0].Values[recordField].(string)
			if rec, err := events.DecodeRecord([]byte(body)); err == nil && rec.Hash == last.hash {
				return nil
			}
		}
		h.cut(last.sequence - 1)
	}
}

// sequenceOf returns the sequence of an entry of the stream, 0 if there is none.
func sequenceOf(entries []redis.XMessage) uint64 {
	if len(entries) == 0 {
		return 0
	}
	first, _, _ := strings.Cut(entries[0].ID, "-")
	n, _ := strconv.ParseUint(first, 10, 64)
	return n
}

// cut removes from the chain what lies behind a sequence.
func (h *History) cut(sequence uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.chain)
	for n > 0 && h.chain[n-1].sequence > sequence {
		n--
	}
	h.chain = h.chain[:n]
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
