package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/fold"
)

var (
	// errNoBeginning is shown while the history cannot be understood: its beginning
	// was removed, and the stored snapshot does not reach what is left.
	errNoBeginning = errors.New("the beginning of the history is missing and no snapshot reaches what is left of it: waiting for the arbiter to store one, which it does once a minute while it leads")

	// errNotBegun is shown before there is any history.
	errNotBegun = errors.New("there is no history yet: no arbiter has ever led this budget")
)

// follow reads the history until the context ends.
func (p *Projector) follow(ctx context.Context) {
	pause := minPause
	for ctx.Err() == nil {
		err := p.step(ctx)
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		news := p.trouble.note(time.Now(), err)
		level := slog.LevelWarn
		if errors.Is(err, errNotBegun) || !p.glance.trouble.since.IsZero() { // that is said already
			level = slog.LevelDebug
		}
		p.mu.Unlock()
		if news && err != nil {
			p.say(level, "the history cannot be followed at present", "error", err)
		} else if news {
			p.say(slog.LevelInfo, "following the history again")
		}
		if news {
			p.ring()
		}
		if err == nil {
			pause = minPause
			continue
		}
		wait(ctx, pause)
		pause = min(2*pause, maxPause)
	}
}

// step reads what is next.
func (p *Projector) step(ctx context.Context) error {
	p.mu.Lock()
	loaded, at, incarnation := p.loaded, p.state.Sequence(), p.state.Incarnation()
	p.mu.Unlock()
	if !loaded {
		return p.load(ctx)
	}
	records, err := p.Log.ReadRecords(ctx, at, maxRead, events.MaxBlock)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		return p.take(records)
	}
	// Nothing comes: perhaps because Redis lost what was read.
	g, err := p.Log.Glance(ctx)
	if err != nil {
		return err
	}
	if g.Incarnation != 0 && (g.Sequence < at || g.Incarnation != incarnation && g.Sequence <= at) || g.Incarnation == 0 && at > 0 {
		p.lose(fmt.Sprintf("the history went back from record %d to %d: Redis lost a part of it", at, g.Sequence))
	}
	return nil
}

// take folds records.
func (p *Projector) take(records [][]byte) error {
	p.mu.Lock()
	var err error
	for _, data := range records {
		if err = p.state.Apply(data); err != nil {
			break
		}
		p.sample(p.state, time.UnixMilli(p.state.Wall()))
	}
	p.mu.Unlock()
	p.ring()
	if err != nil {
		p.lose(err.Error())
	}
	return nil
}

// lose notes that the history did not go on where it was read to, and has it read
// anew.
func (p *Projector) lose(what string) {
	p.mu.Lock()
	p.gap = gap{time.Now(), what, p.gap.count + 1}
	p.loaded = false
	p.mu.Unlock()
	p.say(slog.LevelWarn, "the history is read anew", "reason", what)
	p.ring()
}

// load finds a state to go on from.
func (p *Projector) load(ctx context.Context) error {
	g, err := p.Log.Glance(ctx)
	if err != nil {
		return err
	}
	oldest, err := p.Log.Oldest(ctx)
	switch {
	case err != nil:
		return err
	case oldest == 0 && g.Sequence == 0:
		return errNotBegun
	case oldest == 0:
		return errNoBeginning
	}
	state, err := p.begin(ctx, oldest, g.Sequence < oldest+maxReplay)
	if err != nil {
		return err
	}
	p.mu.Lock()
	state.Inherit(p.state)
	p.state, p.loaded = state, true
	p.mu.Unlock()
	p.say(slog.LevelInfo, "following the history", "sequence", state.Sequence(), "oldest", oldest)
	p.ring()
	return nil
}

// begin returns the state of the whole history if that is short and its beginning
// is there, because it shows the last hour as well; else that of the snapshot.
func (p *Projector) begin(ctx context.Context, oldest uint64, short bool) (state *fold.State, err error) {
	if short {
		state, err = p.replay(ctx, oldest-1)
	}
	if state == nil && err == nil {
		state, err = p.restore(ctx, oldest)
	}
	if state == nil && err == nil && !short {
		state, err = p.replay(ctx, oldest-1)
	}
	if state == nil && err == nil {
		err = errNoBeginning
	}
	return state, err
}

// restore returns the state of the stored snapshot; nil when there is none, or none
// from which the history can be followed.
func (p *Projector) restore(ctx context.Context, oldest uint64) (*fold.State, error) {
	snap, err := p.Log.LoadSnapshot(ctx)
	var decode *events.DecodeError
	switch {
	case errors.As(err, &decode):
		p.say(slog.LevelWarn, "the stored snapshot is of no use", "error", err)
		return nil, nil
	case err != nil:
		return nil, err
	case snap == nil || snap.Sequence+1 < oldest:
		return nil, nil
	}
	// A snapshot that the history does not know is of another one.
	traces, err := p.Log.Pick(ctx, fold.Traces(snap))
	if err != nil {
		return nil, err
	}
	if newest := traces[0]; newest != nil {
		if rec, err := events.DecodeRecord(newest); err != nil || rec.Incarnation != snap.Incarnation || rec.Hash != snap.Hash {
			return nil, nil
		}
	}
	state := fold.Restore(snap)
	for _, data := range traces {
		if data != nil {
			state.Trace(data)
		}
	}
	return state, nil
}

// replay folds the history from its oldest record on; it returns nil when that is
// not the beginning of an incarnation, and none begins later.
func (p *Projector) replay(ctx context.Context, after uint64) (*fold.State, error) {
	state, at := fold.New(), after
	for n := 0; n < maxReplay; {
		records, err := p.Log.ReadRecords(ctx, at, maxRead, 0)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			break
		}
		for _, data := range records {
			err := state.Apply(data)
			var missing *fold.GapError
			switch {
			case err == nil:
				p.mu.Lock()
				p.sample(state, time.UnixMilli(state.Wall()))
				p.mu.Unlock()
			case state.Sequence() > 0 || !errors.As(err, &missing):
				return nil, nil // what follows does not continue: only a snapshot helps
			}
			at = max(at+1, state.Sequence())
			if missing != nil {
				at = max(at, missing.Found)
			}
		}
		n += len(records)
	}
	if state.Sequence() == 0 {
		return nil, nil
	}
	return state, nil
}

// wait waits, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
