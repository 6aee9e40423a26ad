package service

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/conncord/conncord/client"
)

// A kind is how a service works.
type kind struct {
	open func(context.Context, *client.Coordinator) (pool, error)
	hold time.Duration // how long a caller keeps a connection
	rest time.Duration // how long a caller pauses in between
	// tells says that the service tells what it wants, with Request. With the
	// others, the demand follows the use.
	tells bool
	// giveUp is after how many sessions a caller cancels its query half way;
	// 0: never.
	giveUp int
}

// kinds are the services of the demo. Every way to get at connections is there.
var kinds = map[string]kind{
	"scraper":    {open: openPgx, hold: 60 * time.Millisecond, tells: true},
	"api":        {open: openSQL, hold: 25 * time.Millisecond, rest: 2 * time.Millisecond, tells: true, giveUp: 40},
	"viewer":     {open: openPgx, hold: 40 * time.Millisecond, rest: 5 * time.Millisecond},
	"monitoring": {open: openSQL, hold: 80 * time.Millisecond, rest: 10 * time.Millisecond},
	"external":   {open: openSessions, hold: 100 * time.Millisecond, rest: 10 * time.Millisecond},
}

// A pool lends connections.
type pool func(context.Context) (session, error)

// A session is a connection in a caller's hands.
type session struct {
	work func(ctx context.Context, hold time.Duration) error
	done func()
}

// query keeps the connection busy without keeping the processor busy.
const query = "select pg_sleep($1)"

func openPgx(ctx context.Context, c *client.Coordinator) (pool, error) {
	p, err := c.OpenPgxPool(ctx, "")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (session, error) { return pgxSession(ctx, p) }, nil
}

func pgxSession(ctx context.Context, p *pgxpool.Pool) (session, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return session{}, err
	}
	work := func(ctx context.Context, hold time.Duration) error {
		_, err := conn.Exec(ctx, query, hold.Seconds())
		return err
	}
	return session{work, conn.Release}, nil
}

func openSQL(_ context.Context, c *client.Coordinator) (pool, error) {
	db, err := c.OpenDB("")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (session, error) { return sqlSession(connOf(ctx, db)) }, nil
}

// badConns is how often a connection that came broken is asked for again.
const badConns = 5

// connOf is db.Conn for a pool whose callers cancel queries. That breaks the
// connection, and database/sql hands it to the next who waits before pgx's driver
// can say so. It notices and tries again, but only twice: with many waiters and
// many cancelled queries, some callers meet three broken ones in a row.
func connOf(ctx context.Context, db *sql.DB) (conn *sql.Conn, err error) {
	for range badConns {
		if conn, err = db.Conn(ctx); !errors.Is(err, driver.ErrBadConn) {
			break
		}
	}
	return conn, err
}

func openSessions(_ context.Context, c *client.Coordinator) (pool, error) {
	return func(ctx context.Context) (session, error) { return sqlSession(c.Session(ctx)) }, nil
}

func sqlSession(conn *sql.Conn, err error) (session, error) {
	if err != nil {
		return session{}, err
	}
	work := func(ctx context.Context, hold time.Duration) error {
		_, err := conn.ExecContext(ctx, query, hold.Seconds())
		return err
	}
	return session{work, func() { _ = conn.Close() }}, nil
}

func kindOf(service string) (kind, error) {
	k, ok := kinds[service]
	if !ok {
		return k, fmt.Errorf("the demo has no service %q", service)
	}
	return k, nil
}
