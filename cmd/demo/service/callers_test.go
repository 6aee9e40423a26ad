package service

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestWasRefused(t *testing.T) {
	for _, code := range []string{"53300", "42P01"} {
		err := fmt.Errorf("dial: %w", &pgconn.PgError{Code: code, Message: "sorry, too many clients already"})
		if got := wasRefused(err); got != (code == tooManyConnections) {
			t.Errorf("%s: %v", code, got)
		}
	}
	if wasRefused(errors.New("too many clients")) {
		t.Error("an error that is not the database's")
	}
}

// fakePool lends one session at a time.
func fakePool(work func(context.Context, time.Duration) error) pool {
	one := make(chan struct{}, 1)
	return func(ctx context.Context) (session, error) {
		select {
		case one <- struct{}{}:
			return session{work: work, done: func() { <-one }}, nil
		case <-ctx.Done():
			return session{}, ctx.Err()
		}
	}
}

func TestCallersWaitAndStop(t *testing.T) {
	busy, release := make(chan struct{}), make(chan struct{})
	work := func(context.Context, time.Duration) error {
		busy <- struct{}{}
		<-release
		return nil
	}
	c := newCallers(t.Context(), kind{}, fakePool(work))
	c.resize(3)
	<-busy
	var r Report
	for r.Waiting < 2 { // the other two are about to
		c.report(&r)
	}
	if r.InUse != 1 || r.Waiting != 2 {
		t.Errorf("%+v", r)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.stop()
	}()
	release <- struct{}{}
	for ended := false; !ended; { // a caller may have got the session before it was told
		select {
		case <-busy:
			release <- struct{}{}
		case <-stopped:
			ended = true
		}
	}
	c.report(&r)
	if r.InUse != 0 || r.Waiting != 0 || r.Sessions < 1 || r.Failed != 0 {
		t.Errorf("%+v", r)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	refused := &pgconn.PgError{Code: tooManyConnections}
	errs := []error{refused, errors.New("broken"), nil, context.Canceled}
	calls := make(chan struct{}, 100)
	n := 0
	work := func(context.Context, time.Duration) error {
		err := errs[n%len(errs)]
		n++
		calls <- struct{}{}
		return err
	}
	c := newCallers(t.Context(), kind{}, fakePool(work))
	c.resize(1)
	for range len(errs) + 1 {
		<-calls
	}
	<-c.bell // a refusal is told at once
	c.stop()
	var r Report
	c.report(&r)
	if r.Refused < 1 || r.Failed < 1 || r.Sessions < 1 || r.LastError == "" {
		t.Errorf("%+v", r)
	}
}

func TestGivingUpIsNoFailure(t *testing.T) {
	work := func(ctx context.Context, _ time.Duration) error {
		<-ctx.Done()
		return ctx.Err()
	}
	c := newCallers(t.Context(), kind{hold: 2 * time.Millisecond, giveUp: 1}, fakePool(work))
	c.resize(1)
	for c.givenUp.Load() == 0 {
		time.Sleep(time.Millisecond) // nothing tells
	}
	c.stop()
	var r Report
	c.report(&r)
	if r.Failed != 0 || r.Sessions != 0 {
		t.Errorf("%+v", r)
	}
}
