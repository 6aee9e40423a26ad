package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/conncord/conncord/events"
)

// take writes records.
func (a *Archiver) take(records [][]byte) error {
	for _, data := range records {
		incarnation, sequence, err := events.PlaceRecord(data)
		if err != nil { // no record, but it stood in the history
			incarnation, sequence = a.end.incarnation, a.end.sequence+1
		}
		if !a.linked {
			if err := a.link(data, incarnation, sequence); err != nil {
				return errors.Join(err, a.disclaim())
			}
			a.linked = true
		}
		if a.end.records > 0 && incarnation != a.end.incarnation {
			if err := a.complete(); err != nil {
				return err
			}
			a.end.order++
		}
		if a.file != nil && a.to.count == 0 && a.to.offset >= a.SegmentBytes {
			if err := a.complete(); err != nil {
				return err
			}
		}
		if a.file == nil {
			if err := a.begin(sequence); err != nil {
				return err
			}
		}
		if err := a.to.add(data); err != nil {
			return a.undo(err)
		}
		a.end.incarnation, a.end.sequence = incarnation, sequence
		a.end.records++
		if a.unsynced++; a.unsynced == 1 {
			a.since = time.Now()
		}
	}
	return nil
}

// link checks that the first record that comes continues the archive.
func (a *Archiver) link(data []byte, incarnation, sequence uint64) error {
	e := &a.end
	fork := &ForkError{Path: a.dir, Incarnation: e.incarnation, Sequence: e.sequence}
	switch {
	case incarnation != e.incarnation && begins(data):
		a.Logger.Info("a new incarnation of the history begins", "incarnation", incarnation, "sequence", sequence)
		return nil
	case incarnation != e.incarnation || sequence != e.sequence+1:
		fork.What = fmt.Sprintf("record %d of incarnation %016x comes next there", sequence, incarnation)
		return fork
	case e.hash != (events.Hash{}) && !events.VerifyLink(data, e.hash):
		fork.What = fmt.Sprintf("the hash of record %d there does not follow from it", sequence)
		return fork
	}
	return nil
}

// disclaim takes back what was noted of another history.
func (a *Archiver) disclaim() error {
	if !a.claimed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), events.CallTimeout)
	defer cancel()
	return a.log.ForgetArchive(ctx)
}

// begin begins a segment.
func (a *Archiver) begin(first uint64) error {
	if a.end.order == 0 {
		a.end.order = 1
	}
	h := Header{Budget: a.budget, Exported: time.Now()}
	if a.end.records == 0 {
		h.Snapshot = a.before
	}
	path := segmentPath(a.dir, a.end.order, first)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("begin a segment of the archive: %w", err)
	}
	a.file, a.to = file, appender{to: file, pack: a.to.pack, incarnation: a.end.incarnation, newer: a.end.sequence}
	a.end.segment = segment{path: path, order: a.end.order, first: first}
	err = a.to.begin(&h)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = syncDir(a.dir)
	}
	if err != nil {
		return a.undo(err)
	}
	return nil
}

// complete ends the segment under way, if there is one.
func (a *Archiver) complete() error {
	if a.file == nil {
		return nil
	}
	if err := a.to.end(); err != nil {
		return a.undo(err)
	}
	if err := a.file.Sync(); err != nil {
		return a.undo(err)
	}
	file := a.file
	a.file = nil
	if err := file.Close(); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}

// flush makes safe on the disk what was written.
func (a *Archiver) flush() error {
	if a.file != nil && a.unsynced > 0 {
		if err := a.to.flush(); err != nil {
			return a.undo(err)
		}
		if err := a.file.Sync(); err != nil {
			return a.undo(err)
		}
	}
	a.unsynced, a.since = 0, time.Now()
	return nil
}

// undo takes back what a write that failed left behind. If that fails too, the next
// archiver does it.
func (a *Archiver) undo(err error) error {
	_ = a.file.Truncate(a.to.offset)
	return fmt.Errorf("write the archive: %s: %w", a.end.segment.path, err)
}
