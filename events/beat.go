package events

import (
	"context"
	"fmt"
	"time"
)

// beatLife is how long a heartbeat is kept: longer than any pause after which it
// matters whether the container beats again.
const beatLife = 10 * time.Minute

// maxBeatsAtOnce bounds one read of heartbeats, so that it keeps Redis from
// serving others for well below a millisecond.
const maxBeatsAtOnce = 1000

// A Beat is a heartbeat: while they come, the container that makes them may open
// connections under its lease.
type Beat struct {
	Incarnation uint64 // that of the lease; a beat of another one says nothing
	Count       uint64 // grows with each
}

func (b Beat) String() string { return fmt.Sprintf("%x %d", b.Incarnation, b.Count) }

func parseBeat(text string) (b Beat) {
	if n, err := fmt.Sscanf(text, "%x %d", &b.Incarnation, &b.Count); n != 2 || err != nil {
		return Beat{} // somebody else's: as good as none
	}
	return b
}

// Beat leaves a heartbeat and then looks, in this order and on one connection:
// whatever was in the mailbox when the arbiter last saw no new beat, the look
// that follows the beat finds it.
func (p *Post) Beat(ctx context.Context, beat Beat) (Look, error) { return p.look(ctx, &beat) }

// ReadBeats returns the newest heartbeat of each of the containers, the zero
// Beat of those who have none.
func (l *Log) ReadBeats(ctx context.Context, containers []string) ([]Beat, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	beats := make([]Beat, 0, len(containers))
	for len(containers) > 0 {
		n := min(len(containers), maxBeatsAtOnce)
		keys := make([]string, n)
		for i, id := range containers[:n] {
			keys[i] = l.keys.Beat(id)
		}
		values, err := l.calls.MGet(ctx, keys...).Result()
		if err != nil {
			return nil, fmt.Errorf("read heartbeats: %w", err)
		}
		for _, v := range values {
			text, _ := v.(string)
			beats = append(beats, parseBeat(text))
		}
		containers = containers[n:]
	}
	return beats, nil
}
