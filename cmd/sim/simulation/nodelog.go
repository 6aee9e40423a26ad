package simulation

import (
	"context"
	"time"

	"github.com/conncord/conncord/events"
)

// A nodeLog is an arbiter's log in this world: the real one, over the simulated
// network.
type nodeLog struct {
	*events.Log
	node *node
}

// Interrupt does nothing: whoever ends the context interrupts the read as well.
func (l *nodeLog) Interrupt() {}

// Campaign replaces the random incarnation by one of the plan's, so that a world
// is the same each time.
func (l *nodeLog) Campaign(ctx context.Context, id string, lease time.Duration, _ uint64, onlyNew bool) (events.Standing, error) {
	return l.Log.Campaign(ctx, id, lease, l.node.link.dice.Uint64()|1, onlyNew)
}

// An old program cannot read a policy whose version of the rule it does not know.

// ReadRecords hides the records that the program cannot read.
func (l *nodeLog) ReadRecords(ctx context.Context, after uint64, count int, block time.Duration) ([][]byte, error) {
	records, err := l.Log.ReadRecords(ctx, after, count, block)
	for i := range records {
		if rec, failed := events.DecodeRecord(records[i]); failed == nil {
			if in, failed := events.DecodeIntent(rec.Intent); failed == nil && in.Policy.Rule > l.node.Rules {
				records[i] = []byte("a record that this version cannot read")
			}
		}
	}
	return records, err
}

// LoadSnapshot refuses a snapshot that the program cannot read.
func (l *nodeLog) LoadSnapshot(ctx context.Context) (*events.Snapshot, error) {
	snap, err := l.Log.LoadSnapshot(ctx)
	if snap != nil && snap.Policy.Rule > l.node.Rules {
		return nil, &events.DecodeError{What: "snapshot", At: "policy", Err: events.ErrVersion}
	}
	return snap, err
}
