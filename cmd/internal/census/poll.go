// Package census counts the connections that a PostgreSQL has, as it sees them
// itself, for the programs that show and judge Conncord.
package census

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pollEvery is how often the connections are counted. It must be 10 ms or
	// less; a count costs the database about a quarter of a millisecond.
	pollEvery = 4 * time.Millisecond

	// pollTimeout bounds one count.
	pollTimeout = 5 * time.Second
)

// Together is the condition, in a query of pg_stat_activity, that makes a count
// one of backends that were there at the same time. PostgreSQL reads one backend
// after the other: without it, a count that takes long can hold one that ended
// meanwhile together with its successor. Who began before the query did, and was
// still there when it was read, was there when the query began.
const Together = "backend_start < statement_timestamp()"

// Poll counts over one connection of its own, named name, until a count fails
// or the context ends, for which it returns nil. count makes one query within
// its context.
func Poll(ctx context.Context, url, name string, count func(context.Context, *pgx.Conn) error) error {
	conn, err := Connect(ctx, url, name)
	if err != nil {
		return err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.Background(), pollTimeout)
		defer cancel()
		_ = conn.Close(bye)
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		// A query that is cut off costs the connection, so it may finish.
		one, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollTimeout)
		err := count(one, conn)
		cancel()
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Connect connects to the database under a name of its own.
func Connect(ctx context.Context, url, name string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["application_name"] = name
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	return pgx.ConnectConfig(ctx, cfg)
}

// Refusals counts the connections that a PostgreSQL's log says were refused
// because there were too many. The server must log what is FATAL.
func Refusals(log string) int {
	return strings.Count(log, "too many clients") + strings.Count(log, "remaining connection slots") +
		strings.Count(log, "too many connections")
}
