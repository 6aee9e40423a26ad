package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/conncord/conncord/events"
)

// A Live is a source that reads the history of a live budget. It changes nothing in
// Redis.
//
// Its Read returns [io.EOF] at the end of what there is; [Live.Wait] then waits for
// more. A record whose predecessor is missing is announced by a [*GapError]. When
// Redis lost its data, or a part, and a new incarnation began behind an earlier place
// than the one that was read to, Live goes back and returns that incarnation from its
// beginning.
type Live struct {
	log      *events.Log
	snapshot *events.Snapshot
	skipped  uint64

	// What was returned last.
	incarnation, sequence uint64

	ready   *piece      // read, and not yet returned
	gap     error       // to be returned before what is ready
	ahead   chan *piece // nil, or where the read that is under way ends
	reading sync.WaitGroup
	stop    context.CancelFunc
	life    context.Context // of reads ahead, which outlive the call that began them
	rewound bool            // nothing was returned since it went back
}

var _ Source = (*Live)(nil)

// A piece is what one round trip brought.
type piece struct {
	records   [][]byte
	sequences []uint64
	of        []uint64 // their incarnations; 0: it is no record
	err       error
}

// OpenLive opens the history of a budget at its beginning, or where that was trimmed
// at the stored snapshot: it is the oldest state that is known. The records before it
// are not read, because nothing can be derived from them; Skipped counts them.
// Without a usable snapshot reading begins with the oldest record that is left, and
// Snapshot returns nil.
func OpenLive(ctx context.Context, url, budget string) (*Live, error) {
	l, err := openLog(url, budget)
	if err != nil {
		return nil, err
	}
	if err := l.start(ctx); err != nil {
		l.Close()
		return nil, fmt.Errorf("open the history of budget %s: %w", budget, err)
	}
	return l, nil
}

// OpenLiveAfter opens the history of a budget as if it had been read up to this
// record already; sequence 0 is before the first.
func OpenLiveAfter(url, budget string, incarnation, sequence uint64) (*Live, error) {
	l, err := openLog(url, budget)
	if err != nil {
		return nil, err
	}
	l.incarnation, l.sequence = incarnation, sequence
	return l, nil
}

func openLog(url, budget string) (*Live, error) {
	log, err := events.OpenLog(url, budget)
	if err != nil {
		return nil, fmt.Errorf("open the history: %w", err)
	}
	l := &Live{log: log}
	l.life, l.stop = context.WithCancel(context.Background())
	return l, nil
}

// start finds where to begin.
func (l *Live) start(ctx context.Context) error {
	oldest, err := l.log.Oldest(ctx)
	if err != nil || oldest == 0 {
		return err
	}
	l.sequence = oldest - 1
	found, err := l.log.Pick(ctx, []uint64{oldest})
	if err != nil {
		return err
	}
	l.incarnation, _, _ = events.PlaceRecord(found[0])
	if begins(found[0]) {
		return nil
	}
	snap, err := l.log.LoadSnapshot(ctx)
	var decode *events.DecodeError
	if err != nil && !errors.As(err, &decode) {
		return err
	}
	if snap == nil || snap.Sequence+1 < oldest {
		return nil // it is of no use here
	}
	at, err := l.log.Pick(ctx, []uint64{snap.Sequence, snap.Sequence + 1})
	if err != nil {
		return err
	}
	if follows(snap, at[0], at[1]) {
		l.snapshot, l.skipped = snap, snap.Sequence+1-oldest
		l.incarnation, l.sequence = snap.Incarnation, snap.Sequence
	}
	return nil
}

// follows reports whether a snapshot is of the history in which these records stand
// at its sequence and after it; nil is none.
func follows(snap *events.Snapshot, at, after []byte) bool {
	if at == nil {
		return after == nil || events.VerifyLink(after, snap.Hash)
	}
	rec, err := events.DecodeRecord(at)
	return err == nil && rec.Incarnation == snap.Incarnation && rec.Hash == snap.Hash
}

// begins reports whether an encoded record begins an incarnation.
func begins(data []byte) bool {
	rec, err := events.DecodeRecord(data)
	return err == nil && rec.Begins()
}

// Snapshot implements [Source].
func (l *Live) Snapshot() *events.Snapshot { return l.snapshot }

// Skipped returns how many records are in Redis that are not read, because they stand
// before the snapshot.
func (l *Live) Skipped() uint64 { return l.skipped }

// Place returns where the record stands that was returned last.
func (l *Live) Place() (incarnation, sequence uint64) { return l.incarnation, l.sequence }

// Read implements [Source]. The error is io.EOF, a [*GapError] after which Read goes
// on, or one of Redis; then it may be called again too.
func (l *Live) Read(ctx context.Context) ([][]byte, error) {
	l.snapshot = nil
	if l.ready == nil {
		if err := l.fetch(ctx, 0); err != nil {
			return nil, err
		}
	}
	if err := l.gap; err != nil {
		l.gap = nil
		return nil, err
	}
	if l.ready == nil {
		return nil, io.EOF
	}
	p := l.ready
	l.ready = nil
	l.incarnation, l.sequence = p.end(l.incarnation)
	l.rewound = false
	if len(p.records) == MaxRead && l.ahead == nil {
		l.readAhead()
	}
	return p.records, nil
}

// Wait waits until there is something to read, at most for the patience and never
// longer than [events.MaxBlock]. It returns nil in either case.
func (l *Live) Wait(ctx context.Context, patience time.Duration) error {
	if l.ready != nil || l.gap != nil {
		return nil
	}
	if err := l.fetch(ctx, min(patience, events.MaxBlock)); err != nil {
		return err
	}
	if l.ready == nil {
		return l.look(ctx)
	}
	return nil
}

// readAhead reads what comes after the last record returned, while that is used.
func (l *Live) readAhead() {
	l.ahead = make(chan *piece, 1)
	after := l.sequence
	l.reading.Go(func() { l.ahead <- l.read(l.life, after, 0) })
}

func (l *Live) read(ctx context.Context, after uint64, block time.Duration) *piece {
	var p piece
	p.records, p.sequences, p.err = l.log.ReadHistory(ctx, after, MaxRead, block)
	p.of = make([]uint64, len(p.records))
	for i, data := range p.records {
		p.of[i], _, _ = events.PlaceRecord(data)
	}
	return &p
}

// fetch makes ready what comes next, if there is anything.
func (l *Live) fetch(ctx context.Context, block time.Duration) error {
	var p *piece
	if l.ahead != nil {
		select {
		case p = <-l.ahead:
			l.ahead = nil
		case <-ctx.Done():
			return ctx.Err()
		}
	} else {
		p = l.read(ctx, l.sequence, block)
	}
	if p.err != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		return p.err
	}
	if len(p.records) == 0 {
		return nil
	}
	back, err := l.check(ctx, p)
	if back && err == nil {
		return l.fetch(ctx, 0) // once: it does not go back again before it has returned something
	}
	return err
}

// check finds what does not continue what was read before, and cuts the piece off
// there, so that the next one begins with it. It reports whether the history went
// back; the piece is then of no use.
func (l *Live) check(ctx context.Context, p *piece) (back bool, err error) {
	incarnation, sequence := l.incarnation, l.sequence
	for i, data := range p.records {
		of := cmp.Or(p.of[i], incarnation) // what is no record, somebody else wrote: whoever derives the history will say so
		lost := of != incarnation && !begins(data)
		if p.sequences[i] <= sequence+1 && !lost {
			incarnation, sequence = of, max(sequence, p.sequences[i])
			continue
		}
		if i > 0 {
			p.records, p.sequences, p.of = p.records[:i], p.sequences[:i], p.of[:i]
			break
		}
		if lost && !l.rewound && sequence > 0 {
			// It went back, and has come past the place that was read to already.
			if back, err := l.goBack(ctx); back || err != nil {
				return back, err
			}
		}
		l.gap = &GapError{After: sequence, Next: p.sequences[i], Incarnation: of}
		incarnation, sequence = of, p.sequences[i]
	}
	l.ready = p
	return false, nil
}

// end returns the place of the piece's last record.
func (p *piece) end(incarnation uint64) (uint64, uint64) {
	last := len(p.records) - 1
	return cmp.Or(p.of[last], incarnation), p.sequences[last]
}

// look goes back if the history has: nothing comes any more behind the place that was
// read to, because it ends before it.
func (l *Live) look(ctx context.Context) error {
	g, err := l.log.Glance(ctx)
	if err != nil {
		return err
	}
	if g.Incarnation != 0 && g.Incarnation != l.incarnation && g.Sequence <= l.sequence && l.sequence > 0 {
		_, err = l.goBack(ctx)
	}
	return err
}

// goBack finds the place behind the last record that is left of the incarnation that
// was read: there the next one began. It reports whether that is an earlier place.
func (l *Live) goBack(ctx context.Context) (bool, error) {
	oldest, err := l.log.Oldest(ctx)
	if err != nil {
		return false, err
	}
	after := max(oldest, 1) - 1
	for at := after; ; {
		p := l.read(ctx, at, 0)
		if p.err != nil {
			return false, p.err
		}
		if len(p.records) == 0 {
			break
		}
		for i, of := range p.of {
			if of == l.incarnation {
				after = p.sequences[i]
			}
			at = p.sequences[i]
		}
	}
	if after >= l.sequence {
		return false, nil
	}
	l.sequence, l.rewound, l.ready = after, true, nil
	return true, nil
}

// Close implements [Source]. It waits for a read under way, up to
// [events.CallTimeout].
func (l *Live) Close() error {
	l.stop()
	l.reading.Wait()
	return l.log.Close()
}
