package show

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/cmd/internal/census"
)

const (
	// slowPoll is how far apart two counts may lie before it is worth saying.
	slowPoll = 10 * time.Millisecond

	// pollTries is how many times in a row a count may fail.
	pollTries = 3

	// pollerName is what the counting connection calls itself.
	pollerName = "conncord-demo-poller"
)

// poller counts, in the database, the connections that the services have.
type poller struct {
	db database

	mu   sync.Mutex
	view pollView
}

// A pollView is what was counted.
type pollView struct {
	backends, peak int
	polls          int64
	elapsed        time.Duration // from the first count to the last
	longest        time.Duration // between two counts
	err            error         // why there are no more counts
}

// every is the mean time between two counts.
func (v *pollView) every() time.Duration {
	if v.polls < 2 {
		return 0
	}
	return v.elapsed / time.Duration(v.polls-1)
}

func (p *poller) look() pollView {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view
}

// run counts until the context ends.
func (p *poller) run(ctx context.Context) {
	var begun, last time.Time
	failures := 0
	for ctx.Err() == nil {
		err := p.session(ctx, func(backends int) {
			now := time.Now()
			failures = 0
			p.mu.Lock()
			defer p.mu.Unlock()
			v := &p.view
			if v.polls++; v.polls == 1 {
				begun = now
			} else {
				v.longest = max(v.longest, now.Sub(last))
			}
			last, v.elapsed = now, now.Sub(begun)
			v.backends, v.peak = backends, max(v.peak, backends)
		})
		if ctx.Err() != nil {
			return
		}
		if failures++; failures >= pollTries {
			p.mu.Lock()
			p.view.err = fmt.Errorf("count the connections: %w", err)
			p.mu.Unlock()
			return
		}
	}
}

// session counts over one connection until that fails or the context ends.
func (p *poller) session(ctx context.Context, counted func(backends int)) error {
	return census.Poll(ctx, p.db.pollURL, pollerName, func(ctx context.Context, conn *pgx.Conn) error {
		var backends int
		if err := conn.QueryRow(ctx, p.db.count, p.db.countArgs...).Scan(&backends); err != nil {
			return err
		}
		counted(backends)
		return nil
	})
}
