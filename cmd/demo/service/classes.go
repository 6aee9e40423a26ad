package service

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/client"
)

// A Class says what kept a session from succeeding.
type Class string

// The classes of failures. A refused connection is none of them: it is counted
// by itself.
const (
	// Away: the database ended the connection, or none could be made because it
	// was down.
	Away Class = "away"
	// Cut: the coordinator closed the connection under its user, because the
	// lease was about to end.
	Cut Class = "cut"
	// Broken: the pool handed out a connection that was dead already.
	Broken Class = "broken"
	// Late: something was not done in its time.
	Late Class = "late"
	// Exhausted: the coordinator had no connection to give.
	Exhausted Class = "exhausted"
	// Other is everything else.
	Other Class = "other"
)

// A Failure counts the sessions that failed in one way.
type Failure struct {
	Count int64  `json:"count"`
	Last  string `json:"last"` // what the last one was told
}

// PostgreSQL's codes for what ends a connection or keeps one from being made.
const (
	queryCanceled   = "57014"
	adminShutdown   = "57P01"
	crashShutdown   = "57P02"
	cannotConnect   = "57P03"
	connectionClass = "08" // first two places of a family of codes
)

// classOf finds what an error is about. The order counts: an error can hold
// several.
func classOf(err error) Class {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == queryCanceled:
			return Cut
		case pg.Code == adminShutdown, pg.Code == crashShutdown, pg.Code == cannotConnect, strings.HasPrefix(pg.Code, connectionClass):
			return Away
		}
		return Other
	}
	switch {
	case errors.Is(err, client.ErrExhausted):
		return Exhausted
	case errors.Is(err, net.ErrClosed):
		return Cut
	case errors.Is(err, driver.ErrBadConn), strings.Contains(err.Error(), "conn closed"):
		return Broken
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Away
	case errors.Is(err, context.DeadlineExceeded):
		return Late
	}
	return Other
}
