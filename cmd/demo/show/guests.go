package show

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/cmd/internal/census"
)

const (
	// maxGuests is how many connections somebody with psql opens: enough to be seen
	// in the table.
	maxGuests = 5

	// fullCode is PostgreSQL's for a connection that is one too many.
	fullCode = "53300"
)

// guests are connections past Conncord. They are opened one by one, each when the
// arbiter has seen the one before and has room again: that is what its headroom is
// for.
type guests struct {
	coming bool
	conns  []*pgx.Conn
	told   int // how many were told of
}

// welcome opens one more, if somebody is to come and there is room.
func (s *stage) welcome(ctx context.Context) {
	g, ledger := &s.guests, s.history.view()
	seen := min(len(g.conns), ledger.external-s.db.others)
	if s.db.platform != nil { // the poller is none of the others
		seen = min(len(g.conns), ledger.external)
	}
	if seen > g.told {
		g.told = seen
		s.tell("connections past Conncord that the arbiter sees: %d, which leaves %d to share", g.told, ledger.available)
	}
	if !g.coming || len(g.conns) >= maxGuests || seen < len(g.conns) || ledger.charged > ledger.available {
		return
	}
	conn, err := census.Connect(ctx, s.db.strangerURL, strangerName)
	var pg *pgconn.PgError
	switch {
	case err == nil:
		g.conns = append(g.conns, conn)
	case errors.As(err, &pg) && pg.Code == fullCode:
		s.tell("psql was refused: the database is full")
		g.coming = false
	default:
		s.tell("psql could not connect: %s", oneLine(err.Error()))
		g.coming = false
	}
}

// dismiss closes them all.
func (s *stage) dismiss() {
	g := &s.guests
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, conn := range g.conns {
		_ = conn.Close(ctx)
	}
	if n := len(g.conns); n > 0 {
		s.tell("psql is gone: its %d connections are kept free for ten seconds more", n)
	}
	*g = guests{}
}
