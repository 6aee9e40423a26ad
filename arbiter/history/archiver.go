package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/conncord/conncord/events"
)

const (
	// SegmentBytes is from which size on a segment is complete.
	SegmentBytes = 64 << 20

	// SyncEvery is how long a record may be in Redis before it is safe in the archive.
	SyncEvery = time.Second

	// maxUnsynced is how many records are written before they are made safe, however
	// little time that took.
	maxUnsynced = 20_000

	// redisPause is how long an archiver waits when Redis does not answer.
	redisPause = time.Second

	lockName = "lock"
)

// A place is where a record stands.
type place struct{ incarnation, sequence uint64 }

// ArchiverOptions are what an archiver can be told. The zero value is a sound choice.
type ArchiverOptions struct {
	SegmentBytes int64         // 0: the constant of this name
	SyncEvery    time.Duration // 0: the constant of this name
	Logger       *slog.Logger  // nil: nothing is said
}

func (o ArchiverOptions) withDefaults() ArchiverOptions {
	o.SegmentBytes = cmp.Or(o.SegmentBytes, SegmentBytes)
	o.SyncEvery = cmp.Or(o.SyncEvery, SyncEvery)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// An Archiver follows a live history and writes it to the segments of a directory. It
// writes, makes safe on the disk, and then tells Redis how far it is, so that nothing
// is trimmed that it does not have. It may be killed at any moment: the next one cuts
// off the block that was being written and goes on behind the last record.
type Archiver struct {
	ArchiverOptions
	dir, budget string
	lock        *os.File
	log         *events.Log
	live        *Live
	before      *events.Snapshot // the state before the first record of an archive that begins

	end    end // of the archive, with what is written
	file   *os.File
	to     appender
	linked bool // what Redis has continues the archive

	unsynced int       // records
	since    time.Time // of the first of them
	told     place     // what Redis knows to be archived
	silent   bool      // Redis does not answer, and that was said
	claimed  bool      // what Redis knows was noted before it was clear that the history is the archive's
}

// OpenArchiver opens an archive of the budget's history for writing, and repairs its
// end. The directory is made if need be. The error is [ErrLocked] when another
// archiver has it, and a [*DamageError] when its end cannot be found.
func OpenArchiver(ctx context.Context, dir, url, budget string, opts ArchiverOptions) (*Archiver, error) {
	a := &Archiver{ArchiverOptions: opts.withDefaults(), dir: dir, budget: budget}
	if err := a.open(ctx, url); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *Archiver) open(ctx context.Context, url string) (err error) {
	if err := a.openEnd(); err != nil {
		return err
	}
	if a.log, err = events.OpenLog(url, a.budget); err != nil {
		return err
	}
	if a.end.records > 0 {
		if a.live, err = OpenLiveAfter(url, a.budget, a.end.incarnation, a.end.sequence); err != nil {
			return err
		}
		return a.claim(ctx)
	}
	if a.live, err = OpenLive(ctx, url, a.budget); err != nil {
		return err
	}
	a.before = a.live.Snapshot()
	a.end.incarnation, a.end.sequence = a.live.Place()
	a.linked = true
	return a.log.SetArchived(ctx, a.end.incarnation, a.end.sequence)
}

// claim notes how far the archive is, if nobody has noted anything: nothing may be
// trimmed before it is known whether the archive lacks it.
func (a *Archiver) claim(ctx context.Context) error {
	_, _, noted, err := a.log.Archived(ctx)
	if err != nil || noted {
		return err
	}
	g, err := a.log.Glance(ctx)
	if err != nil {
		return err
	}
	sequence := a.end.sequence
	if g.Incarnation != a.end.incarnation {
		sequence = 0 // of that one it has nothing
	}
	a.claimed = true
	return a.log.SetArchived(ctx, g.Incarnation, sequence)
}

// openEnd takes the directory, and makes ready to go on where the archive ends.
func (a *Archiver) openEnd() (err error) {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	if a.lock, err = lock(filepath.Join(a.dir, lockName)); err != nil {
		return err
	}
	if a.end, err = repair(a.dir); err != nil {
		return err
	}
	for _, d := range a.end.damaged {
		a.Logger.Error("the archive is damaged; the rest is kept and continued", "error", d)
	}
	if a.end.cut > 0 {
		a.Logger.Warn("a write to the archive had been interrupted; what it left was cut off", "segment", a.end.segment.path, "bytes", a.end.cut)
	}
	if b := a.end.budget; b != "" && b != a.budget {
		return fmt.Errorf("open the archive: %s holds the history of budget %s, not of %s: use another directory", a.dir, b, a.budget)
	}
	if a.to.pack, err = newPacker(); err != nil {
		return err
	}
	if a.end.records > 0 {
		return a.resume()
	}
	return nil
}

// resume goes on with the last segment.
func (a *Archiver) resume() error {
	if a.end.complete {
		return nil
	}
	file, err := os.OpenFile(a.end.segment.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	if _, err := file.Seek(a.end.offset, io.SeekStart); err != nil {
		file.Close()
		return fmt.Errorf("open the archive: %w", err)
	}
	a.file = file
	a.to = appender{
		to: file, pack: a.to.pack, index: a.end.index, offset: a.end.offset, total: a.end.records,
		incarnation: a.end.incarnation, newer: a.end.sequence,
	}
	return nil
}

// Place returns where the newest record stands that was written, perhaps not safely
// yet.
func (a *Archiver) Place() (incarnation, sequence uint64) { return a.end.incarnation, a.end.sequence }

// Run follows the history until the context ends, and returns nil then. While Redis
// does not answer it tries again. It returns a [*GapError] when records were trimmed
// that the archive does not have, a [*ForkError] when Redis holds another history, and
// what the file system reports; the archive is whole in each case, and a new archiver
// goes on with it.
func (a *Archiver) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.step(ctx); err != nil {
			return err
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), events.CallTimeout)
	defer cancel()
	return a.sync(last)
}

// CatchUp is Run that ends when the archive has everything. It does not try again when
// Redis does not answer.
func (a *Archiver) CatchUp(ctx context.Context) error {
	for {
		records, err := a.live.Read(ctx)
		if errors.Is(err, io.EOF) {
			// The end may be an earlier place, from which a new incarnation goes on.
			if err = a.live.Wait(ctx, 0); err == nil {
				records, err = a.live.Read(ctx)
			}
			if errors.Is(err, io.EOF) {
				return a.sync(ctx)
			}
		}
		if err == nil {
			err = a.take(records)
		}
		if err == nil && a.unsynced >= maxUnsynced {
			err = a.sync(ctx)
		}
		if err != nil {
			return errors.Join(err, a.sync(ctx))
		}
	}
}

// step takes what is next, or waits for it.
func (a *Archiver) step(ctx context.Context) error {
	records, err := a.live.Read(ctx)
	if err == nil {
		a.silent = false
		if err := a.take(records); err != nil {
			return err
		}
		if a.unsynced >= maxUnsynced || time.Since(a.since) >= a.SyncEvery {
			return a.sync(ctx)
		}
		return nil
	}
	var gap *GapError
	switch {
	case errors.As(err, &gap):
		return errors.Join(fmt.Errorf("the archive %s cannot go on; keep it, and begin a new one in an empty directory: %w", a.dir, gap), a.sync(ctx))
	case errors.Is(err, io.EOF):
		left := a.SyncEvery
		if a.unsynced > 0 || a.told != a.end.place() {
			if left -= time.Since(a.since); left <= 0 {
				return a.sync(ctx)
			}
		}
		err = a.live.Wait(ctx, left)
	}
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if !a.silent {
		a.Logger.Warn("the history cannot be read at present; trying again", "error", err)
		a.silent = true
	}
	if err := a.sync(ctx); err != nil {
		return err
	}
	pause(ctx, redisPause)
	return nil
}

// sync makes safe on the disk what was written, and tells Redis.
func (a *Archiver) sync(ctx context.Context) error {
	if err := a.flush(); err != nil {
		return err
	}
	if a.told == a.end.place() || !a.linked {
		return nil
	}
	if err := a.log.SetArchived(ctx, a.end.incarnation, a.end.sequence); err != nil {
		if !a.silent && ctx.Err() == nil {
			a.Logger.Warn("Redis cannot be told what is archived; trying again", "error", err)
			a.silent = true
		}
		return nil
	}
	a.told = a.end.place()
	return nil
}

// Close gives the archive up. It must be called after Run has returned.
func (a *Archiver) Close() error {
	var errs []error
	if a.live != nil {
		errs = append(errs, a.live.Close())
	}
	if a.log != nil {
		errs = append(errs, a.log.Close())
	}
	if a.file != nil {
		errs = append(errs, a.file.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
