package arbiter

import (
	"context"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A leadership is one epoch as its leader lives it.
type leadership struct {
	*Arbiter
	standing events.Standing
	cursor   string // id of the newest inbox entry that was taken

	won  time.Time // when the epoch began, on the monotonic clock
	base int64     // ledger time at that moment

	extend     time.Time      // when to extend the lease
	take       int            // how many intents to take at once
	next       []events.Entry // intents that the last commit brought along
	pending    *events.Batch  // applied, and not known to be committed
	mail       map[string]int // place of each container in the mail of the batch under way
	snapshotAt uint64         // sequence from which on a snapshot is due
	snapshotBy time.Time      // and when, however few records there were
	saved      uint64         // sequence of the newest snapshot that this leader saved
	trimBy     time.Time      // when the history is to be trimmed
	held       bool           // the archive is behind, and that was said
	refused    uint64         // intents refused when that was last logged
	untrimmed  int            // intents taken since the inbox was trimmed
	tally      tally
	anew       bool // the inbox is to begin anew
	watch      watch
}

// newLeadership prepares the first batch: what the history must say about the
// new leader before anything else.
func (a *Arbiter) newLeadership(s events.Standing) *leadership {
	l := &leadership{
		Arbiter: a, standing: s, cursor: s.Cursor,
		won: a.Clock.Now(), base: max(a.ledger.Now(), s.Now), refused: a.ledger.Refused(),
		trimBy: a.Clock.Now().Add(a.TrimAfter),
		take:   maxBatch, mail: map[string]int{},
	}
	l.extend = l.won.Add(a.Lease / 3)
	l.watch = newWatch(l.won)
	l.snapshotAt = s.Sequence // the first commit saves one
	batch := l.newBatch()
	if s.Begun {
		barrier := l.barrier()
		l.own(batch, events.Intent{Kind: events.Begin, Barrier: barrier})
		a.Logger.Warn("a new history begins", "incarnation", s.Incarnation, "empty", s.First, "recovery_barrier", barrier)
	}
	l.own(batch, events.Intent{Kind: events.Lead, Arbiter: a.ID, Host: a.Host})
	if !samePolicy(a.ledger.Policy(), a.Policy) {
		l.own(batch, events.Intent{Kind: events.SetPolicy, Policy: a.Policy})
		a.Logger.Info("policy in force", "plan", a.Policy.Plan, "limit", a.Policy.Limit, "reserve", a.Policy.Reserve, "ttl", a.Policy.TTL)
	}
	l.announce(batch)
	if exhausted(s.Cursor) {
		l.beginAnew(batch)
	}
	l.seal(batch)
	if s.Gap {
		l.lost("cursor", s.Cursor)
	}
	a.Logger.Info("leading", "epoch", s.Epoch, "incarnation", s.Incarnation, "sequence", s.Sequence)
	return l
}

// now returns the ledger time.
func (l *leadership) now() int64 { return l.base + l.Clock.Now().Sub(l.won).Milliseconds() }

// round extends the lease when it is time, takes what is in the inbox or waits
// for something to come, and commits what follows.
func (l *leadership) round(ctx context.Context) error {
	if l.pending != nil {
		if err := l.commit(ctx); err != nil {
			return err
		}
	}
	if !l.Clock.Now().Before(l.extend) {
		if err := l.keep(ctx); err != nil {
			return err
		}
	}
	batch := l.newBatch()
	if err := l.observe(ctx, batch); err != nil {
		return err
	}
	if l.seal(batch); l.pending != nil {
		return l.commit(ctx)
	}
	if l.unsighted() {
		l.Clock.Sleep(ctx, glanceEvery)
		return nil
	}
	entries, err := l.read(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		in := ledger.Input{Entry: e.ID, Intent: e.Body}
		if e.Size > len(e.Body) {
			in.Size = e.Size
		}
		l.apply(batch, in)
		l.cursor = e.ID
	}
	l.tally.taken += int64(len(entries))
	l.untrimmed += len(entries)
	batch.Trim = l.untrimmed >= trimEvery
	if len(entries) > 1 { // where several come at once, more are on their way
		batch.Ahead = l.take
	}
	if l.anew || exhausted(l.cursor) {
		l.beginAnew(batch)
	}
	if due, ok := l.ledger.Next(); ok && due <= l.now() {
		l.own(batch, events.Intent{Kind: events.Tick})
	}
	l.seal(batch)
	if l.pending == nil {
		return nil
	}
	return l.commit(ctx)
}

// read returns what is next in the inbox: what the last commit brought along, or
// what there is now, or comes soon.
func (l *leadership) read(ctx context.Context) ([]events.Entry, error) {
	if entries := l.next; len(entries) > 0 {
		l.next = nil
		return entries, nil
	}
	entries, err := l.Log.ReadIntents(ctx, l.cursor, l.take, l.patience())
	if err != nil {
		l.take = max(l.take/4, 1) // entries may be so large that fewer must do
		return nil, err
	}
	l.take = min(2*l.take, maxBatch)
	return entries, nil
}

// patience is how long a read of the inbox may wait: until the lease is to be
// extended or something in the ledger is due.
func (l *leadership) patience() time.Duration {
	p := l.extend.Sub(l.Clock.Now())
	if due, ok := l.ledger.Next(); ok {
		p = min(p, time.Duration(due-l.now())*time.Millisecond)
	}
	if l.Lookout != nil {
		p = min(p, l.watch.wait(l.Clock.Now()))
	}
	return max(p, time.Millisecond)
}

// keep extends the lease.
func (l *leadership) keep(ctx context.Context) error {
	now := l.Clock.Now()
	inbox, err := l.Log.Extend(ctx, l.standing, l.Lease, l.now())
	if err != nil {
		return err
	}
	l.extend = now.Add(l.Lease / 3)
	l.count(inbox)
	if n := l.ledger.Refused(); n > l.refused {
		l.Logger.Warn("intents were refused; the history holds them and the reasons", "count", n-l.refused, "total", n)
		l.refused = n
	}
	return nil
}

// newBatch returns an empty batch on the present end of the history.
func (l *leadership) newBatch() *events.Batch {
	clear(l.mail)
	return &events.Batch{BaseSequence: l.ledger.Sequence(), BaseHash: l.ledger.Hash(), BaseCursor: l.cursor}
}

// apply runs one intent through the ledger and adds what follows to the batch.
func (l *leadership) apply(b *events.Batch, in ledger.Input) {
	in.Epoch, in.Now, in.Wall = l.standing.Epoch, l.now(), l.Clock.Now().UnixMilli()
	step := l.ledger.Apply(in)
	l.watch.note(&step, l.Clock.Now())
	b.Records = append(b.Records, step.Encoded)
	for i := range step.Grants {
		g := &step.Grants[i]
		m := events.Mail{Container: g.Container, Grant: events.EncodeGrant(g), Keep: max(2*g.TTL, minMailboxLife)}
		if at, ok := l.mail[g.Container]; ok {
			b.Mail[at] = m // the newer grant replaces the older one
			continue
		}
		l.mail[g.Container] = len(b.Mail)
		b.Mail = append(b.Mail, m)
	}
}

// own applies an intent of the arbiter itself.
func (l *leadership) own(b *events.Batch, in events.Intent) {
	l.apply(b, ledger.Input{Intent: events.EncodeIntent(&in)})
}

// seal makes the batch, if there is anything in it, the one to be committed.
func (l *leadership) seal(b *events.Batch) {
	if len(b.Records) > 0 {
		b.Sequence, b.Hash, b.Cursor = l.ledger.Sequence(), l.ledger.Hash(), l.cursor
		l.pending = b
	}
}

// commit commits the pending batch. After an error whose meaning is unknown the
// batch stays pending, to be committed again unchanged.
func (l *leadership) commit(ctx context.Context) error {
	if err := l.Log.Commit(ctx, l.standing, l.pending); err != nil {
		l.pending.Ahead = 0 // the commit must not fail for what comes after it
		return err
	}
	if l.pending.Trim {
		l.untrimmed = 0
	}
	l.next = l.pending.Next
	l.pending = nil
	if l.ledger.Sequence() < l.snapshotAt && l.Clock.Now().Before(l.snapshotBy) {
		return l.trim(ctx)
	}
	if err := l.Log.SaveSnapshot(ctx, l.standing, l.ledger.Snapshot()); err != nil {
		return err
	}
	l.snapshotAt = l.ledger.Sequence() + uint64(max(snapshotEvery, 2*l.ledger.Containers()))
	l.snapshotBy = l.Clock.Now().Add(snapshotAfter)
	l.saved = l.ledger.Sequence()
	return l.trim(ctx)
}

// trim trims the history, if it is time for that and a snapshot was saved.
func (l *leadership) trim(ctx context.Context) error {
	if l.saved == 0 || l.Clock.Now().Before(l.trimBy) {
		return nil
	}
	l.trimBy = l.Clock.Now().Add(l.TrimAfter)
	why, err := l.Log.Trim(ctx, l.standing, l.saved)
	switch {
	case err != nil:
		return err
	case why == events.Unfinished:
		l.trimBy = l.Clock.Now().Add(trimAgain)
	default:
		l.sayHeld(why)
	}
	return nil
}

// sayHeld says when the history becomes longer than it is to be, and when it does not
// any more: nobody reads it to the archive, and Redis will be full one day.
func (l *leadership) sayHeld(why events.Bound) {
	held := why == events.NotArchived
	if held == l.held {
		return
	}
	l.held = held
	if held {
		l.Logger.Warn("the history in Redis is longer than it is to be, because the archive is behind",
			"remedy", "run replay archive on its directory again, or give it up with replay archive --forget")
	} else {
		l.Logger.Info("the archive has caught up, and the history is trimmed again")
	}
}

// handOver ends a leadership on purpose: it finishes what is under way, records
// that it resigns and frees the lease in one step.
func (a *Arbiter) handOver() {
	l := a.lead
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), events.CallTimeout)
	defer cancel()
	if l.pending != nil {
		if err := l.Log.Commit(ctx, l.standing, l.pending); err != nil {
			a.Logger.Warn("could not commit before resigning; a standby takes over when the lease has run out", "error", err)
			a.lead = nil
			a.rest()
			return
		}
	}
	batch := l.newBatch()
	l.own(batch, events.Intent{Kind: events.Resign, Arbiter: a.ID})
	l.seal(batch)
	batch.Resign = true
	if err := l.Log.Commit(ctx, l.standing, batch); err != nil {
		a.Logger.Warn("could not resign; a standby takes over when the lease has run out", "error", err)
	} else {
		a.Logger.Info("resigned", "epoch", l.standing.Epoch, "sequence", batch.Sequence)
	}
	a.lead = nil
	a.rest()
}
