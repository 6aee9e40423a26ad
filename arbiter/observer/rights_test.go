package observer

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlainRole: without pg_monitor names are all that is seen of other roles' connections. It is said once.
func TestPlainRole(t *testing.T) {
	s := newStage(t)
	s.role("plain")
	o := s.observer("plain")
	expect := func(hides, shows int) {
		t.Helper()
		if got := s.log.count("database hides containers' connections"); got != hides {
			t.Errorf("said %d times that containers are hidden, want %d", got, hides)
		}
		if got := s.log.count("shows the containers' connections"); got != shows {
			t.Errorf("said %d times that they are shown, want %d", got, shows)
		}
	}

	look := s.look(o) // strangers only: the administrator
	if !look.Named || look.Hidden != 1 || look.External != 1 || look.Platform != 1 || s.log.count("other roles' connections") != 1 {
		t.Errorf("%+v\n%s", look, s.log)
	}
	conn := s.container("app", "api", "one")
	for range 3 {
		look = s.look(o)
	}
	if look.Named || look.MayEnd || look.Hidden != 2 {
		t.Errorf("%+v", look)
	}
	if diff := cmp.Diff([]Backend{backend(conn, "api", "one")}, look.Backends); diff != "" { // without Start
		t.Error("-want +got\n" + diff)
	}
	expect(1, 0)
	if s.log.count(`remedy="GRANT pg_monitor TO \"plain\";"`) == 0 {
		t.Errorf("no remedy is named: %s", s.log)
	}
	if n, err := o.End(t.Context(), look.Backends); n != 0 || err == nil {
		t.Errorf("ended %d hidden ones, %v", n, err)
	}
	s.look(o)

	conn.Close(t.Context())
	s.lookUntil(o, "the container is gone", func(l Look) bool { return len(l.Backends) == 0 && l.Named })
	conn = s.container("app", "api", "one")
	s.look(o)
	expect(1, 0) // nothing has changed

	s.exec("grant pg_monitor to plain")
	if look = s.look(o); !look.Named || look.Hidden != 0 || look.Backends[0].Start == 0 {
		t.Errorf("with pg_monitor, and without a new connection: %+v", look)
	}
	expect(1, 1)
	s.exec("revoke pg_monitor from plain")
	s.look(o)
	expect(2, 1)
	s.exec("grant pg_monitor to plain")
	s.look(o)
	expect(2, 2)
	conn.Close(context.Background())
}

// TestOneRoleForAll: no grant is missing where the observer has the containers' role, or its rights.
func TestOneRoleForAll(t *testing.T) {
	s := newStage(t)
	s.role("heir", "app")
	s.role("noheir")
	s.exec("alter role noheir noinherit", "grant app to noheir")
	s.container("app", "api", "one")
	for role, want := range map[string]bool{"app": true, "heir": true, "noheir": false} {
		if look := s.look(s.observer(role)); look.Named != want || look.MayEnd != want {
			t.Errorf("%s: named %v, may end %v, want %v", role, look.Named, look.MayEnd, want)
		}
	}
}

func TestEnd(t *testing.T) {
	s := newStage(t)
	s.role("watcher", "pg_monitor", "pg_signal_backend")
	o := s.observer("watcher")
	victim, witness := s.container("app", "api", "one"), s.container("app", "api", "two")
	find := func(l Look, pid uint32) *Backend {
		for i := range l.Backends {
			if l.Backends[i].PID == int32(pid) {
				return &l.Backends[i]
			}
		}
		return nil
	}
	look := s.look(o)
	right, other := *find(look, victim.PgConn().PID()), *find(look, witness.PgConn().PID())

	later, renamed, gone := right, right, right
	later.Start++
	renamed.Name = other.Name
	gone.PID = 1 << 30
	swapped := Backend{PID: other.PID, Start: right.Start, Name: right.Name}
	n, err := o.End(t.Context(), []Backend{later, renamed, gone, swapped})
	if n != 0 || err != nil {
		t.Errorf("ended %d that do not match, %v", n, err)
	}
	foreign := right
	foreign.Name = "psql"
	if n, err := o.End(t.Context(), []Backend{right, foreign}); n != 0 || err == nil {
		t.Errorf("ended %d in a list with a stranger, %v", n, err)
	}
	if n, err := o.End(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("ended %d of none, %v", n, err)
	}
	if err := victim.Ping(t.Context()); err != nil {
		t.Fatal("the wrong one was ended:", err)
	}

	if n, err := o.End(t.Context(), []Backend{later, right}); n != 1 || err != nil {
		t.Errorf("ended %d, want 1, %v", n, err)
	}
	s.lookUntil(o, "the victim is gone", func(l Look) bool { return find(l, victim.PgConn().PID()) == nil })
	if n, err := o.End(t.Context(), []Backend{right}); n != 0 || err != nil {
		t.Errorf("ended %d that was gone, %v", n, err)
	}
	if err := witness.Ping(t.Context()); err != nil {
		t.Error("the witness was ended:", err)
	}
	if err := victim.Ping(t.Context()); err == nil {
		t.Error("the victim lives")
	}
}

// TestEndIsNotAllowed: what may be ended is, and for the rest there is an error that names the remedy.
func TestEndIsNotAllowed(t *testing.T) {
	s := newStage(t)
	s.role("watcher", "pg_monitor")
	o := s.observer("watcher")
	s.container("app", "api", "one")
	super := s.container("postgres", "api", "two")
	look := s.look(o)
	if look.MayEnd || !look.Named {
		t.Errorf("%+v", look)
	}
	if n, err := o.End(t.Context(), look.Backends); n != 0 || !errors.Is(err, ErrMayNotEnd) {
		t.Errorf("ended %d, %v", n, err)
	} else {
		t.Log(err)
	}
	s.exec("grant pg_signal_backend to watcher")
	if look = s.look(o); look.MayEnd {
		t.Error("a superuser's may be ended, it seems")
	}
	if n, err := o.End(t.Context(), look.Backends); n != 1 || !errors.Is(err, ErrMayNotEnd) {
		t.Errorf("ended %d, want 1, %v", n, err)
	}
	if err := super.Ping(t.Context()); err != nil {
		t.Error("the superuser's was ended:", err)
	}
	super.Close(t.Context())
	s.container("app", "api", "three")
	s.lookUntil(o, "all may be ended", func(l Look) bool { return l.MayEnd && len(l.Backends) == 1 })
	if s.log.count("may not end") != 1 || s.log.count("role may end") != 1 {
		t.Errorf("it is to be said once each: %s", s.log)
	}
}
