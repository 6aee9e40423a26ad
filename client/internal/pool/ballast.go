package pool

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A pgxpool's size is fixed. What is beyond the share is held as ballast: a slot that the controller has acquired, and
// whose connection is closed.
//
// An acquisition gets an idle connection or makes a new one. A new one must not dial just to be closed, so pgxpool is
// given a connection to a server that exists in memory only (see fakeserver.go). It knows the acquisition by its context:
// the values of the acquirer's context reach BeforeConnect.

// ballast is the context of one acquisition of ballast. pgxpool goes on making a connection when the acquirer's context
// ends, and puts it among the idle ones: an application would be handed the connection to nowhere. So the context ends
// while the acquisition queues for a slot, and not any more once it has one.
type ballast struct {
	context.Context
	cancelFunc context.CancelFunc

	mu         sync.Mutex
	connecting bool
}

type ballastKey struct{}

// errUnwanted ends the making of ballast whose acquisition was cancelled.
var errUnwanted = errors.New("pool: ballast is not wanted any more")

func newBallast() *ballast {
	b := new(ballast)
	b.Context, b.cancelFunc = context.WithCancel(context.Background())
	return b
}

// Value makes the ballast known to whoever holds a context derived from it.
func (b *ballast) Value(key any) any {
	if key == (ballastKey{}) {
		return b
	}
	return b.Context.Value(key)
}

func ballastFrom(ctx context.Context) *ballast {
	b, _ := ctx.Value(ballastKey{}).(*ballast)
	return b
}

// cancel ends the acquisition if it still queues, and reports whether it has.
func (b *ballast) cancel() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.connecting {
		return false
	}
	b.cancelFunc()
	return true
}

// commit makes the acquisition go through, unless it was cancelled before.
func (b *ballast) commit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connecting = b.Err() == nil
	return b.connecting
}

// connect turns the attempt to connect into one that stays in memory. Nothing the user has configured for real
// connections may reach it.
func (b *ballast) connect(cc *pgx.ConnConfig) error {
	if !b.commit() {
		return errUnwanted
	}
	cc.Tracer = nil
	cc.StatementCacheCapacity, cc.DescriptionCacheCapacity = 0, 0
	cc.Host, cc.Port = "/", 1 // a path: no name to look up
	cc.User, cc.Password, cc.Database = "ballast", "", ""
	cc.TLSConfig, cc.Fallbacks = nil, nil
	cc.SSLNegotiation, cc.SSLCertMode, cc.ChannelBinding, cc.RequireAuth = "", "", "", ""
	cc.MinProtocolVersion, cc.MaxProtocolVersion = "", ""
	cc.ConnectTimeout = fakeTimeout
	cc.RuntimeParams = nil
	cc.ValidateConnect, cc.AfterNetConnect = nil, nil
	cc.OnNotice, cc.OnNotification, cc.OnPgError = nil, nil, nil
	cc.BuildFrontend = newFakeFrontend
	cc.BuildContextWatcherHandler = deadlineWatcher
	cc.DialFunc = dialFakeServer
	cc.AfterConnect = func(_ context.Context, pg *pgconn.PgConn) error {
		markBallast(pg)
		return nil
	}
	return nil
}

// What the custom data of a connection says about it.
const (
	ballastMark = "conncord.ballast" // it is ballast
	asideMark   = "conncord.aside"   // it was put aside by ballast and goes back unused
)

func markBallast(pg *pgconn.PgConn) { pg.CustomData()[ballastMark] = true }

func isBallast(conn *pgx.Conn) bool {
	_, ok := conn.PgConn().CustomData()[ballastMark]
	return ok
}

func isAside(conn *pgx.Conn) bool {
	_, ok := conn.PgConn().CustomData()[asideMark]
	return ok
}
