package projector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/alert"
)

// A Log is what a projector needs of Redis: [events.Log] implements it.
type Log interface {
	Glance(ctx context.Context) (events.Glance, error)
	Oldest(ctx context.Context) (uint64, error)
	ReadRecords(ctx context.Context, after uint64, count int, block time.Duration) ([][]byte, error)
	Pick(ctx context.Context, sequences []uint64) ([][]byte, error)
	LoadSnapshot(ctx context.Context) (*events.Snapshot, error)
	TakeOffice(ctx context.Context, projector string, hold time.Duration) (bool, error)
	PublishStatus(ctx context.Context, projector string, hold time.Duration, status, news []byte) (bool, error)
	ReadStatus(ctx context.Context) ([]byte, error)
	LeaveOffice(ctx context.Context, projector string) error
	Interrupt()
}

// A Herald tells somebody else that alerts have changed, without blocking:
// [alert.Webhook] implements it.
type Herald interface {
	Tell(alert.Message)
}

// The limits and intervals of a projector.
const (

	// publishEvery is the shortest time between two statuses, publishAtLeast the
	// longest. Making one takes at most one part in publishPart of the time.
	publishEvery   = 100 * time.Millisecond
	publishAtLeast = 5 * time.Second
	publishPart    = 8

	// maxRate bounds, in bytes a second, what is published in Redis, which writes it
	// to its append-only file and to replicas. 500 containers can be published every
	// publishEvery, 10,000 once a second.
	maxRate = 2 << 20

	// countdownEvery is how often a status is made while something in it runs out.
	countdownEvery = time.Second

	// glanceEvery is how often the projector looks who leads, and how long the
	// history is.
	glanceEvery = 250 * time.Millisecond

	// officeFor is how long a projector stays in office without a sign of life,
	// and officeEvery how often it gives one.
	officeFor   = 2 * time.Second
	officeEvery = 500 * time.Millisecond

	// maxRead is how many records are read at once, and folded before others see
	// the state.
	maxRead = 1000

	// maxReplay is how many records are folded from the beginning of the history,
	// for the sake of what a snapshot does not hold, such as the chart. They take
	// about a second.
	maxReplay = 100_000

	// minPause and maxPause bound the pause between tries after an error.
	minPause = 50 * time.Millisecond
	maxPause = time.Second

	// recentGap is how long people are told that a part of the history was missing.
	recentGap = time.Minute

	// maxNews bounds what the channel is told. Beyond that it is told the status
	// without its containers.
	maxNews = 256 << 10
)

// A Config says how a projector is to work. Log, Budget and ID must be set.
type Config struct {
	Log    Log
	Budget string
	ID     string // unique

	// Expect names services that should have containers; an alert is raised when
	// one has none.
	Expect []string

	// Herald is told about alerts, while this projector is in office; nil: nobody.
	Herald Herald

	Logger *slog.Logger // nil: slog.Default()
}

func (c *Config) validate() error {
	if c.Log == nil {
		return errors.New("projector: no log is set")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return errors.Join(events.CheckBudget(c.Budget), events.CheckContainer(c.ID), alert.CheckExpected(c.Expect))
}
