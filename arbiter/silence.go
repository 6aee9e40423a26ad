package arbiter

import (
	"context"
	"slices"
	"time"

	"github.com/conncord/conncord/events"
)

// A pulse is the newest sign of life of one container.
type pulse struct {
	beat events.Beat
	at   time.Time // when it was seen
}

// poll reads the heartbeats of all containers that are charged for something.
func (l *leadership) poll(ctx context.Context) error {
	w := &l.watch
	var ids []string
	l.ledger.Owing(func(c events.ContainerState) bool {
		ids = append(ids, c.ID)
		return true
	})
	upTo := l.ledger.Sequence()
	beats, err := l.Log.ReadBeats(ctx, ids)
	if err != nil {
		return err
	}
	now := l.Clock.Now()
	gap := w.disturbed || now.Sub(w.polled) > maxGap // Redis was away, or refused to write: for them as well
	w.disturbed = false
	pulses := make(map[string]pulse, len(ids))
	for i, id := range ids {
		p, known := w.pulses[id]
		if !known || gap {
			p.at = now
		}
		if beats[i].Incarnation == l.ledger.Incarnation() && beats[i] != p.beat {
			p = pulse{beat: beats[i], at: now}
		}
		pulses[id] = p
	}
	w.pulses, w.polled, w.polledUpTo, w.pollAt = pulses, now, upTo, now.Add(pollEvery)
	return nil
}

// declare declares those silent who have given no sign of life for long enough.
// Whoever never made a heartbeat goes by another protocol: its lease runs out.
func (l *leadership) declare(b *events.Batch) {
	var tags []string
	l.ledger.Owing(func(c events.ContainerState) bool {
		if p := l.watch.pulses[c.ID]; c.Silent == 0 && p.beat.Count > 0 && l.watch.quiet(p) {
			tags = append(tags, events.Tag(c.ID))
		}
		return true
	})
	for part := range slices.Chunk(tags, events.MaxSilences) {
		l.own(b, events.Intent{Kind: events.Silence, Tags: part})
		l.watch.pollAt = l.watch.polled // whether they are, is seen after it is said
	}
}

// quiet reports whether the last poll came long enough after a sign of life.
func (w *watch) quiet(p pulse) bool { return w.polled.Sub(p.at) >= silentAfter }
