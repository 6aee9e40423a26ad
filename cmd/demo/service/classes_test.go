package service

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/client"
)

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Class
	}{
		{&pgconn.PgError{Code: "57P01"}, Away},
		{&pgconn.PgError{Code: "57P03"}, Away},
		{&pgconn.PgError{Code: "08006"}, Away},
		{&pgconn.PgError{Code: "57014"}, Cut},
		{&pgconn.PgError{Code: "42P01"}, Other},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, Away},
		{io.ErrUnexpectedEOF, Away},
		{net.ErrClosed, Cut},
		{driver.ErrBadConn, Broken},
		{errors.New("conn closed"), Broken},
		{&client.ExhaustedError{Cause: context.DeadlineExceeded}, Exhausted},
		{context.DeadlineExceeded, Late},
		{errors.New("something new"), Other},
	} {
		if got := classOf(fmt.Errorf("use a connection: %w", c.err)); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
}
