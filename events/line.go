package events

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// maxAppend bounds how many intents one pipeline carries.
const maxAppend = 128

// A line is this process's connection to one Redis, shared by all its
// containers. What several of them say at the same time travels together, and
// one subscription brings the grants for all of them.
type line struct {
	url   string
	users int // guarded by linesMu
	rdb   *redis.Client

	appending sync.Mutex // held while a batch is on its way
	mu        sync.Mutex
	batch     *appendBatch // the one that is filling; nil: none
	exchange  *exchange    // nil: nobody listens
}

var (
	linesMu sync.Mutex
	lines   = map[string]*line{}
)

func openLine(url string) (*line, error) {
	linesMu.Lock()
	defer linesMu.Unlock()
	l := lines[url]
	if l == nil {
		rdb, err := OpenRedis(url, 2)
		if err != nil {
			return nil, err
		}
		l = &line{url: url, rdb: rdb}
		lines[url] = l
	}
	l.users++
	return l, nil
}

// close gives the line up; the last user closes it.
func (l *line) close() error {
	linesMu.Lock()
	l.users--
	last := l.users == 0
	if last {
		delete(lines, l.url)
	}
	linesMu.Unlock()
	if !last {
		return nil
	}
	l.mu.Lock()
	x := l.exchange
	l.mu.Unlock()
	if x != nil {
		x.fail(errBellClosed)
		<-x.done
	}
	return l.rdb.Close()
}

// An appendBatch is a number of entries that one pipeline appends.
type appendBatch struct {
	streams []string
	bodies  [][]byte
	errs    []error
	done    chan struct{}
}

// append appends an entry to a stream. Whoever finds no batch filling starts one
// and sends it as soon as the one before is through; those who come meanwhile
// join.
func (l *line) append(ctx context.Context, stream string, body []byte) error {
	l.mu.Lock()
	b := l.batch
	first := b == nil
	if first {
		b = &appendBatch{done: make(chan struct{})}
		l.batch = b
	}
	at := len(b.bodies)
	b.streams, b.bodies = append(b.streams, stream), append(b.bodies, body)
	if len(b.bodies) == maxAppend {
		l.batch = nil
	}
	l.mu.Unlock()
	if first {
		l.send(b)
	}
	select {
	case <-b.done:
		return b.errs[at]
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send appends a batch. It goes by a deadline of its own: the batch holds what
// others say, who have their own reasons to give up.
func (l *line) send(b *appendBatch) {
	l.appending.Lock()
	defer l.appending.Unlock()
	l.mu.Lock()
	if l.batch == b {
		l.batch = nil
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), CallTimeout)
	defer cancel()
	b.errs = make([]error, len(b.bodies))
	defer close(b.done)
	add := func(c redis.Cmdable, i int) *redis.StringCmd {
		return c.XAdd(ctx, &redis.XAddArgs{Stream: b.streams[i], Values: []any{intentField, b.bodies[i]}})
	}
	if len(b.bodies) == 1 {
		b.errs[0] = add(l.rdb, 0).Err()
		return
	}
	cmds := make([]*redis.StringCmd, len(b.bodies))
	_, _ = l.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range cmds {
			cmds[i] = add(p, i)
		}
		return nil
	})
	for i, cmd := range cmds {
		b.errs[i] = cmd.Err()
	}
}

// subscribe returns a bell for the channel. A bell that another one of this
// process has for the same channel ends.
func (l *line) subscribe(ctx context.Context, channel string, deliver func(*Grant)) (*Bell, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	l.mu.Lock()
	if l.exchange == nil || l.exchange.failed() {
		l.exchange = openExchange(l.rdb)
	}
	x := l.exchange
	l.mu.Unlock()
	return x.add(ctx, channel, deliver)
}
