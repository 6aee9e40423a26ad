package replay

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/events"
)

// A place is a source and what is known of it.
type place struct {
	history.Source
	budget     string
	anonymized bool
	live       *history.Live // nil: it is not live
	about      string        // for people
}

// open opens the history at its beginning, and shows the progress of reading it.
func (r *replay) open(ctx context.Context) (*place, error) {
	p, err := r.where(ctx)
	if err != nil {
		return nil, err
	}
	if p.live != nil && p.live.Skipped() > 0 {
		r.log.Info("the oldest records in Redis are not read: nothing can be derived from what is before the stored snapshot", "records", p.live.Skipped())
	}
	if r.progress {
		p.Source = newProgress(r.stderr, p)
	}
	return p, nil
}

func (r *replay) where(ctx context.Context) (*place, error) {
	if r.From == "" {
		return r.openLive(ctx)
	}
	info, err := os.Stat(r.From)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	if info.IsDir() {
		a, err := history.OpenArchive(r.From)
		if err != nil {
			return nil, err
		}
		return &place{Source: a, budget: a.Header().Budget, anonymized: a.Header().Anonymized, about: r.From}, nil
	}
	f, err := history.OpenFile(r.From)
	if err != nil {
		return nil, err
	}
	return &place{Source: f, budget: f.Header().Budget, anonymized: f.Header().Anonymized, about: r.From}, nil
}

func (r *replay) openLive(ctx context.Context) (*place, error) {
	live, err := history.OpenLive(ctx, r.RedisURL, r.Budget)
	if err != nil {
		return nil, err
	}
	return &place{Source: live, budget: r.Budget, live: live, about: "budget " + r.Budget}, nil
}

// read opens the history, has it read, and closes it.
func (r *replay) read(ctx context.Context, do func(p *place) error) error {
	p, err := r.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(p), p.Close())
}

// openLog opens the live budget for the few commands that ask more of it than its
// history.
func (r *replay) openLog() (*events.Log, error) { return events.OpenLog(r.RedisURL, r.Budget) }
