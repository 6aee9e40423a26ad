package pool

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"
)

// fakeTimeout bounds a start-up in memory. It takes microseconds.
const fakeTimeout = 10 * time.Second

// dialFakeServer connects to a PostgreSQL server that exists in memory, accepts everybody and is left at once.
func dialFakeServer(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go serveFake(server)
	return client, nil
}

// serveFake plays the server's part of a start-up and then waits for the client to leave. It ends with the client's
// side of the pipe, which pgx closes in every case.
func serveFake(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(fakeTimeout))
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "0"})
	backend.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	backend.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 0, SecretKey: make([]byte, 4)})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if backend.Flush() != nil {
		return
	}
	backend.Receive() // Terminate, or the end
}

func newFakeFrontend(r io.Reader, w io.Writer) *pgproto3.Frontend { return pgproto3.NewFrontend(r, w) }

func deadlineWatcher(pg *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.DeadlineContextWatcherHandler{Conn: pg.Conn()}
}
