package observer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// DialTimeout bounds an attempt to connect: a TLS handshake and a login are some six round trips.
	DialTimeout = 3 * time.Second

	// LookTimeout bounds everything that is asked of the database. A look takes milliseconds; what is not answered
	// within this is of no use any more.
	LookTimeout = 2 * time.Second

	// goodbyeTimeout bounds the farewell of a connection that is closed on purpose.
	goodbyeTimeout = time.Second
)

// sessionSettings are set on every connection, as far as the server knows them.
var sessionSettings = [...]struct{ name, value string }{
	{"search_path", "pg_catalog"}, // nobody's function passes for one of PostgreSQL's

	// The server gives up before we do, so that no query of ours outlives the connection that asked for it.
	{"statement_timeout", millis(LookTimeout * 3 / 4)},
	{"lock_timeout", millis(LookTimeout / 2)},
	{"idle_in_transaction_session_timeout", millis(2 * LookTimeout)},

	// Not the database's own setting, which may be shorter than the pause between two looks. It ends the connection
	// of an arbiter that is paused, whose system still answers for it.
	{"idle_session_timeout", millis(5 * time.Minute)}, // PostgreSQL 14

	// The connection of an arbiter that is dead, or out of reach, goes away by itself.
	{"client_connection_check_interval", "1s"}, // PostgreSQL 14
	{"tcp_keepalives_idle", "10"},              // seconds
	{"tcp_keepalives_interval", "5"},           // seconds
	{"tcp_keepalives_count", "3"},
	{"tcp_user_timeout", "20000"}, // milliseconds; PostgreSQL 12
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// sessionStatement sets them. It is a statement and not part of the start-up message because a server refuses the
// connection for a parameter that it does not know.
var sessionStatement = func() string {
	var rows []string
	for _, s := range sessionSettings {
		rows = append(rows, "('"+s.name+"','"+s.value+"')")
	}
	return "select pg_catalog.set_config(s.name, s.value, false) from (values " + strings.Join(rows, ",") +
		") as s(name, value) where pg_catalog.current_setting(s.name, true) is not null"
}()

// A line is one connection and the sockets below it.
//
// The driver closes a connection that failed in the background, for up to fifteen seconds, and opens another socket to
// ask the server to cancel the query. A line keeps it from both: [line.kill] closes the sockets themselves, and the
// server's statement_timeout ends the query.
type line struct {
	conn *pgx.Conn

	life context.Context // ends with kill, and dials with it
	end  context.CancelFunc

	mu      sync.Mutex
	up      bool // connected: whoever dials now wants to cancel a query
	killed  bool
	sockets []net.Conn
}

var errLineUsed = errors.New("this connection has its socket")

// newLine connects.
func newLine(ctx context.Context, cfg *pgx.ConnConfig) (*line, error) {
	l := new(line)
	l.life, l.end = context.WithCancel(context.Background())
	cfg = cfg.Copy()
	cfg.DialFunc = l.dial
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		l.kill()
		return nil, dialError(err)
	}
	l.mu.Lock()
	l.conn, l.up = conn, true
	l.mu.Unlock()
	if _, err := conn.PgConn().Exec(ctx, sessionStatement).ReadAll(); err != nil {
		l.kill()
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	return l, nil
}

// dialer finds out within half a minute that the server's machine is gone. Only an idle connection needs it.
var dialer = net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
	Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3,
}}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	refuse := l.up || l.killed
	l.mu.Unlock()
	if refuse {
		return nil, errLineUsed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.life, cancel)()
	socket, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.killed {
		socket.Close()
		return nil, errLineUsed
	}
	l.sockets = append(l.sockets, socket)
	return socket, nil
}

// kill closes the connection without a word and returns when nothing is left of it.
func (l *line) kill() {
	l.mu.Lock()
	l.killed = true
	sockets := l.sockets
	l.mu.Unlock()
	l.end()
	for _, s := range sockets {
		s.Close()
	}
	if l.conn != nil {
		l.conn.Close(l.life) // cannot wait any more
		<-l.conn.PgConn().CleanupDone()
	}
}

// close says goodbye, if that is possible at once.
func (l *line) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, goodbyeTimeout)
	defer cancel()
	l.conn.Close(ctx)
	l.kill()
}
