package arbiter

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/events"
)

// A Log is what an arbiter needs of Redis: [events.Log] implements it.
type Log interface {
	Campaign(ctx context.Context, arbiter string, lease time.Duration, incarnation uint64, onlyNew bool) (events.Standing, error)
	Extend(ctx context.Context, s events.Standing, lease time.Duration, now int64) (events.Inbox, error)
	ReadIntents(ctx context.Context, cursor string, count int, block time.Duration) ([]events.Entry, error)
	Commit(ctx context.Context, s events.Standing, b *events.Batch) error
	ReadRecords(ctx context.Context, after uint64, count int, block time.Duration) ([][]byte, error)
	ReadBeats(ctx context.Context, containers []string) ([]events.Beat, error)
	SaveSnapshot(ctx context.Context, s events.Standing, snap *events.Snapshot) error
	Trim(ctx context.Context, s events.Standing, snapshot uint64) (events.Bound, error)
	LoadSnapshot(ctx context.Context) (*events.Snapshot, error)
	Interrupt()
}

// A Lookout is what an arbiter needs to see the database, without ever waiting
// for it: [observer.Lookout] implements it.
type Lookout interface {
	Ask(id uint64, end []observer.Backend)
	Sight() (observer.Sight, bool)
	Rest()
}

// The limits and intervals of an arbiter.
const (
	// DefaultLease is the default duration of the leader's lease. It bounds how
	// long nobody decides after a leader was killed.
	DefaultLease = time.Second

	// DefaultHold is the default of Config.Hold: most of what people and scripts do
	// in a session is over sooner, and begins again soon.
	DefaultHold = 10 * time.Second

	// DefaultTrimAfter is the default of Config.TrimAfter: much shorter than what is
	// kept, and seldom enough to cost nothing.
	DefaultTrimAfter = 2 * time.Minute

	// MinLease is the shortest lease that leaves room for three extensions.
	MinLease = 100 * time.Millisecond

	// MaxLease bounds the lease: with a longer one a killed leader would stop
	// all containers for longer than anybody can want.
	MaxLease = time.Minute

	// maxBatch is how many intents are taken and committed at once. It bounds
	// how long one commit keeps Redis from serving others, and what is decided
	// again after a lost leadership.
	maxBatch = 256

	// trimEvery is after how many intents the inbox is trimmed.
	trimEvery = 64

	// trimAgain is when the history is trimmed further, if there was too much to go
	// for once.
	trimAgain = 100 * time.Millisecond

	// maxRead is how many records a follower reads at once.
	maxRead = 1000

	// minPause and maxPause bound the pause between tries after an error.
	minPause = 10 * time.Millisecond
	maxPause = time.Second

	// snapshotEvery is after how many records a snapshot is saved, if there are
	// few containers. With many it is twice their number, so that snapshots
	// cost a constant part of the work.
	snapshotEvery = 2048

	// snapshotAfter is after how long the next commit saves a snapshot however few
	// records there were: who follows the history and finds that a part of it was
	// removed goes on from there.
	snapshotAfter = time.Minute

	// minMailboxLife is how long a mailbox is kept at least.
	minMailboxLife = time.Minute
)

// A Config says how an arbiter is to work. Log and Policy must be set.
type Config struct {
	Log    Log
	Policy events.Policy // what is to be in force while this arbiter leads

	ID    string        // unique; empty: made of the process id and a random part
	Host  string        // where it runs, for people; may be empty
	Lease time.Duration // of the leader; 0: DefaultLease

	// Fresh says that no container holds a connection: a history that begins
	// on an empty Redis begins without the recovery barrier. It counts only until
	// the arbiter has seen a history or a leader.
	Fresh bool

	// Lookout shows the database while this arbiter leads; nil: it goes by its
	// books alone. Headroom is how many of the database's connections stay free
	// for whoever comes past Conncord. With Fence, backends that an expired lease
	// leaves above its fallback are ended.
	Lookout  Lookout
	Headroom int
	Fence    bool

	// Hold is for how long connections past Conncord count after they are gone, so
	// that leases do not follow every psql session up and down; 0: DefaultHold.
	Hold time.Duration

	// TrimAfter is how often the leader trims the history to the log's retention, as
	// far as its newest snapshot allows; 0: DefaultTrimAfter.
	TrimAfter time.Duration

	Logger *slog.Logger // nil: slog.Default()
	Clock  Clock        // nil: the machine's
}

func (c Config) withDefaults() Config {
	if c.ID == "" {
		c.ID = newID()
	}
	if c.Lease == 0 {
		c.Lease = DefaultLease
	}
	if c.Hold == 0 {
		c.Hold = DefaultHold
	}
	if c.TrimAfter == 0 {
		c.TrimAfter = DefaultTrimAfter
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	return c
}

func (c *Config) validate() error {
	if c.Log == nil {
		return errors.New("arbiter: no log is set")
	}
	if err := events.CheckContainer(c.ID); err != nil {
		return fmt.Errorf("arbiter: id: %w", err)
	}
	if c.Host != "" {
		if err := events.CheckHost(c.Host); err != nil {
			return fmt.Errorf("arbiter: host: %w", err)
		}
	}
	if c.Lease < MinLease || c.Lease > MaxLease {
		return fmt.Errorf("arbiter: a leader's lease of %v is out of range: set %v to %v", c.Lease, MinLease, MaxLease)
	}
	if c.Hold < 0 {
		return fmt.Errorf("arbiter: a hold of %v is negative: set 0 for the default of %v, or more", c.Hold, DefaultHold)
	}
	if c.Headroom < 0 || c.Headroom > events.MaxUnits {
		return fmt.Errorf("arbiter: a headroom of %d connections is out of range: set 0 to %d", c.Headroom, events.MaxUnits)
	}
	if err := c.Policy.Check(); err != nil {
		return fmt.Errorf("arbiter: policy: %w", err)
	}
	return nil
}

func newID() string {
	return fmt.Sprintf("arbiter-%d-%06x", os.Getpid(), randomUint64()>>40)
}

// randomUint64 returns a random number other than 0, which means none.
func randomUint64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return max(1, binary.BigEndian.Uint64(b[:]))
}
