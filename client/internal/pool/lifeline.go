package pool

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A lifeline is an established connection that shows that the database has had a backend of ours at every moment since
// the admission ended. Each connection knows since when it shows that: since it was established, or for as long as
// those before it did that were still there then. So the lifeline may pass from one connection to the next, and once
// there was a moment without any, nothing that is established later can be one.

// witness is a connection as it was when somebody looked.
type witness struct {
	socket *socket
	pid    uint32
	shows  time.Time // since when it shows that there is one
}

// lifelinesLocked returns lifelines, at most so many. It looks at each one's socket: the end of a connection that nobody
// reads from would be noticed by nobody.
func (g *Gate) lifelinesLocked(most int) (alive []witness) {
	for s := range g.sockets {
		if len(alive) == most {
			break
		}
		if !s.lifeline || s.shows.After(g.admission.Until) {
			continue
		}
		if !serverHolds(s.Conn) {
			s.lifeline = false // it never counts again; its pool finds out by itself
			continue
		}
		alive = append(alive, witness{s, s.backendPID(), s.shows})
	}
	return alive
}

// maxWitnesses bounds the lifelines that a new connection asks the database for. One would do; some may be on their way
// out.
const maxWitnesses = 16

// establish makes the socket one of the live connections, if it may still be one. The connection is there by now,
// whatever the clock says, so this is where it is closed again if it came too late.
//
// After the admission has ended, the database itself is asked whether a lifeline is still there. The look at the
// sockets before the dial is not enough: a network that was down may have swallowed the end of them, and they may have
// ended during the dial.
func (g *Gate) establish(ctx context.Context, s *socket, pg *pgconn.PgConn) error {
	g.mu.Lock()
	now := time.Now()
	if g.admission.window(now) {
		defer g.mu.Unlock()
		return s.joinLocked(now)
	}
	witnesses := g.lifelinesLocked(maxWitnesses)
	g.mu.Unlock()

	shows, shown := stillThere(ctx, pg, witnesses)

	g.mu.Lock()
	defer g.mu.Unlock()
	small := g.open <= g.admission.Floor
	if !g.inTimeLocked(s) && !(small && (shown || g.admission.Alone)) {
		if ctx.Err() == nil {
			for _, w := range witnesses {
				w.socket.lifeline = false // else the next dial would be for nothing too
			}
		}
		s.outOfTouch = true
		s.retireLocked()
		return ErrOutOfTouch
	}
	if !shown {
		shows = now
	}
	return s.joinLocked(shows)
}

// stillThere asks the database which of the witnesses it has, and returns since when the oldest of them shows that there
// was one.
func stillThere(ctx context.Context, pg *pgconn.PgConn, witnesses []witness) (shows time.Time, shown bool) {
	if len(witnesses) == 0 {
		return time.Time{}, false
	}
	pids := make([]string, len(witnesses))
	for i, w := range witnesses {
		pids[i] = strconv.FormatUint(uint64(w.pid), 10)
	}
	query := fmt.Sprintf("select pid from pg_catalog.pg_stat_activity where pid in (%s)", strings.Join(pids, ","))
	results, err := pg.Exec(ctx, query).ReadAll()
	if err != nil || len(results) != 1 {
		return time.Time{}, false
	}
	for _, row := range results[0].Rows {
		for i, w := range witnesses {
			if pids[i] == string(row[0]) && (!shown || w.shows.Before(shows)) {
				shows, shown = w.shows, true
			}
		}
	}
	return shows, shown
}
