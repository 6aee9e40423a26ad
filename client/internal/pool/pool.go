package pool

import (
	"context"
	"errors"
	"log/slog"
)

// MaxCeiling bounds Options.Ceiling. PostgreSQL's max_connections is rarely a tenth of it, and a pgxpool keeps a small
// piece of memory for every slot of the ceiling.
const MaxCeiling = 10_000

// ErrCeiling is returned when a pool is opened without a usable ceiling.
var ErrCeiling = errors.New("pool: the ceiling must be between 1 and 10000")

// Pool is one pool that follows its share of a lease. All methods are safe for concurrent use.
type Pool interface {
	// SetMax sets the share: how many connections this pool may have, 0 or more, at most its ceiling. It never blocks;
	// the pool follows in the background and the latest value wins.
	SetMax(n int)

	// Usage is cheap enough to be called every few milliseconds.
	Usage() Usage

	// Close closes the pool and waits for it and for the controller's goroutines. Connections in use are closed when
	// they are returned; Close waits for that as far as the library does.
	Close(ctx context.Context) error
}

// Usage is what a pool does at a moment. The numbers are taken one after the other, so they may disagree by the
// checkouts that happened in between.
type Usage struct {
	// InUse is the number of connections that are checked out. database/sql counts one that is being dialed as well; for
	// pgxpool its checkout is Waiting. So InUse + Waiting means the same for both: what is wanted now.
	InUse int
	// Idle is the number of connections that a checkout gets without a dial.
	Idle int
	// Waiting is the number of checkouts under way that have no connection yet. See [OpenSQL] for
	// how database/sql's are known.
	Waiting int
	// Waits counts, cumulatively, the checkouts that had to wait for a connection, from when their wait began. It is
	// exact for database/sql and derived for pgxpool: waits that begin and end between two calls while connections are
	// dialed may be missed. It never falls.
	Waits int64
	// Live is the number of connections that are open or being opened, and that nobody has begun to close. While the gate
	// admits no more of them, a share above it makes checkouts wait in a dial.
	Live int
}

// Options configures one pool.
type Options struct {
	// Name returns the application_name of the next connection. Nil leaves the configured one. PostgreSQL cuts it at
	// 63 bytes.
	Name func() string

	// Ceiling is the most connections that this pool can ever have. It is required.
	Ceiling int

	// Logger gets the rare events nobody else can report. Nil means [slog.Default]. At present there are none: the gate
	// has its own.
	Logger *slog.Logger

	// Exhausted wraps the error of a checkout that gave up while it waited at the gate, or for room in a full database
	// ([ErrDatabaseFull]). Nil leaves it. Only database/sql lets such an error through, and only for the checkouts that
	// wait in a dial and not in the library's own queue.
	Exhausted func(error) error
}

func (o Options) validate() error {
	if o.Ceiling < 1 || o.Ceiling > MaxCeiling {
		return ErrCeiling
	}
	return nil
}

// after returns a channel that is closed when the function, which is called at
// once, has returned.
func after(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}
