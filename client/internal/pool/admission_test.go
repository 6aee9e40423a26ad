package pool

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ended is an admission that has ended a moment ago.
func ended(floor int) Admission { return Admission{Until: time.Now(), Floor: floor} }

// When the admission has ended nothing new is opened, and what is open goes on. Checkouts share it once the pool's share
// is lowered to it, and those that already wait in a dial are let through by the next admission.
func TestAdmissionEnds(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 8)
			g.SetLimit(8)
			tg.SetMax(8)
			release := tg.hold(t, 3)
			g.SetAdmission(ended(0))
			if n := g.Allowed(); n != 3 {
				t.Errorf("Allowed() = %d, want the 3 that are there", n)
			}
			dialing := together(2, func() error { return tg.exec(context.Background(), "select 1") })
			eventually(t, "they wait in dials", func() bool { return g.Waiting() == 2 })
			tg.SetMax(tg.Usage().Live)
			if tg.sql != nil {
				eventually(t, "the pool has its 3, and the dials that are stuck", func() bool {
					return tg.sql.Stats().MaxOpenConnections == 3+2+occupied
				})
			}
			queued := together(5, func() error {
				for range 20 {
					if err := tg.exec(context.Background(), "select 1"); err != nil {
						return err
					}
				}
				return nil
			})
			eventually(t, "more wait", func() bool { return tg.Usage().Waiting >= 5 })
			release()
			if kind == "sql" { // pgxpool may still serve some of them by dials that wait
				if err := queued(); err != nil {
					t.Errorf("the open connections serve nobody: %v", err)
				}
			}
			if n := d.count(); n != 3 || g.Live() != 3 {
				t.Errorf("the database has %d connections, the gate %d live ones, want 3", n, g.Live())
			}
			g.SetAdmission(Admission{Until: time.Now().Add(time.Hour)})
			tg.SetMax(8)
			if err := dialing(); err != nil {
				t.Errorf("dials do not go on: %v", err)
			}
			if kind != "sql" {
				if err := queued(); err != nil {
					t.Error(err)
				}
			}
			tg.hold(t, 8)()
		})
	}
}

// As long as a lifeline is there, connections are opened up to the floor, and each becomes a lifeline.
func TestFloor(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 8)
			g.SetLimit(8)
			tg.SetMax(8)
			first := tg.hold(t, 1)
			g.SetAdmission(ended(3))
			if n := g.Allowed(); n != 3 {
				t.Errorf("Allowed() = %d, want the floor", n)
			}
			others := tg.hold(t, 2)
			wait := together(1, func() error { return tg.exec(context.Background(), "select 1") })
			eventually(t, "the one above the floor waits", func() bool { return g.Waiting() == 1 })
			g.mu.Lock()
			lifelines := len(g.lifelinesLocked(8))
			g.mu.Unlock()
			if lifelines != 3 {
				t.Errorf("%d lifelines, want 3", lifelines)
			}
			if n := d.count(); n != 3 {
				t.Errorf("the database has %d connections, want 3", n)
			}
			g.SetAdmission(Admission{})
			if err := wait(); err != nil {
				t.Error(err)
			}
			first()
			others()
		})
	}
}

// The server ends an idle lifeline, and nobody reads from its socket: the look before the next dial finds out. What was
// lost comes back with the next admission only.
func TestLifelineLost(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	old, young := openTarget(t, "sql", d, g, 2), openTarget(t, "pgxpool", d, g, 2)
	g.SetLimit(4)
	old.SetMax(2)
	young.SetMax(2)
	old.hold(t, 1)()
	g.SetAdmission(ended(3))
	d.terminateOne()
	eventually(t, "the database has none", func() bool { return d.count() == 0 })
	eventually(t, "the end has arrived", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.lifelinesLocked(1)) == 0
	})
	if n := g.Live(); n != 1 {
		t.Errorf("Live() = %d: somebody read from the socket, and the test shows nothing", n)
	}
	wait := together(1, func() error { return young.exec(context.Background(), "select 1") })
	eventually(t, "the dial waits", func() bool { return g.Waiting() == 1 })
	g.SetAdmission(ended(3))
	if g.Waiting() != 1 {
		t.Error("an admission that has ended brought the lifeline back")
	}
	a := ended(3)
	a.Alone = true
	g.SetAdmission(a)
	if err := wait(); err != nil {
		t.Error(err)
	}
}

// A connection that was opened without a lifeline is none, unless an admission covers it.
func TestAloneIsNoLifeline(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	tg := openTarget(t, "sql", d, g, 4)
	g.SetLimit(4)
	tg.SetMax(4)
	a := ended(3)
	a.Alone = true
	g.SetAdmission(a)
	defer tg.hold(t, 1)()
	a.Alone = false
	g.SetAdmission(a)
	if n := g.Allowed(); n != 1 {
		t.Errorf("Allowed() = %d, want 1: there was a moment without a connection", n)
	}
	g.SetAdmission(ended(3))
	if n := g.Allowed(); n != 3 {
		t.Errorf("Allowed() = %d, want 3: this admission ended with a connection", n)
	}
}

// A lifeline that the network has swallowed looks alive; the database knows better.
func TestSwallowedLifeline(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	var proxy *deafProxy
	old := openTarget(t, "sql", d, g, 2, func(cfg *pgx.ConnConfig) {
		proxy = newDeafProxy(t, net.JoinHostPort(cfg.Host, itoa(cfg.Port)))
		addr := proxy.Addr().(*net.TCPAddr)
		cfg.Host, cfg.Port, cfg.Fallbacks = addr.IP.String(), uint16(addr.Port), nil
	})
	var connected atomic.Int64
	young := openTarget(t, "sql", d, g, 2, func(cfg *pgx.ConnConfig) {
		cfg.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
			connected.Add(1)
			return conn, nil
		}
	})
	g.SetLimit(4)
	old.SetMax(2)
	young.SetMax(2)
	old.hold(t, 1)()
	g.SetAdmission(ended(3))
	proxy.beDeaf()
	d.terminateOne()
	eventually(t, "the database has none", func() bool { return d.count() == 0 })
	if n := g.Allowed(); n != 3 {
		t.Fatalf("Allowed() = %d, want 3: the socket looks alive", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	wait := together(1, func() error {
		if err := young.exec(ctx, "select 1"); !errors.Is(err, context.Canceled) {
			return errors.New("a connection was opened without a lifeline")
		}
		return nil
	})
	eventually(t, "the connection was closed again", func() bool { return connected.Load() > 0 && g.Waiting() == 1 })
	cancel()
	if err := wait(); err != nil {
		t.Error(err)
	}
	proxy.hangUp()
}

// Dials in progress are given up when the grace is over, and their checkouts wait for the next admission.
func TestDialInProgress(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	p := newPeer(t)
	silent := true
	tg := openTarget(t, "sql", d, g, 2, func(cfg *pgx.ConnConfig) {
		dial := cfg.DialFunc
		cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if silent {
				silent = false
				return dial(ctx, network, p.Addr().String())
			}
			return dial(ctx, network, addr)
		}
	})
	g.SetLimit(2)
	tg.SetMax(2)
	g.SetAdmission(Admission{Until: time.Now().Add(time.Hour)})
	wait := together(1, func() error { return tg.exec(context.Background(), "select 1") })
	server := <-p.conns // which says nothing
	a := ended(0)
	a.Grace = 10 * time.Millisecond
	g.SetAdmission(a)
	eventually(t, "the dial is given up and waits again", func() bool { return g.Waiting() == 1 })
	server.Close()
	eventually(t, "its place is free", func() bool { return g.Open() == 0 })
	g.SetAdmission(Admission{Until: time.Now().Add(time.Hour)})
	if err := wait(); err != nil {
		t.Error(err)
	}
}

// Every decision is by the clock. A process that was stopped finds its timers late, and opens nothing when it wakes.
func TestStoppedProcess(t *testing.T) {
	for _, c := range []struct {
		name    string
		slept   time.Duration // from the beginning of the dial
		renewed bool
		want    error
	}{
		{"in time", 9 * time.Second, false, nil},
		{"in the grace", 11 * time.Second, false, nil},
		{"too late", 13 * time.Second, false, ErrOutOfTouch},
		{"renewed", 13 * time.Second, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewGate(GateOptions{})
				g.SetLimit(1)
				l := newLane(g)
				l.setShare(1)
				g.SetAdmission(Admission{Until: time.Now().Add(10 * time.Second), Grace: 2 * time.Second})
				s, err := g.admit(t.Context(), l)
				if err != nil || !g.begin(s) {
					t.Fatal("not admitted in time")
				}
				g.mu.Lock()
				g.end.Stop() // it would come too late
				g.mu.Unlock()
				time.Sleep(c.slept)
				if c.renewed {
					g.SetAdmission(Admission{Until: time.Now().Add(time.Second)})
				}
				client, server := net.Pipe()
				defer server.Close()
				if unwanted := s.dialed(client); unwanted != (c.want != nil) {
					t.Errorf("a dialed socket is unwanted: %v", unwanted)
				}
				if err := g.establish(t.Context(), s, nil); !errors.Is(err, c.want) {
					t.Errorf("established: %v, want %v", err, c.want)
				}
				s.finish()
				g.SetAdmission(Admission{})
			})
		})
	}
}

// A dial that waits is not begun after the end, whatever happens to make room for it.
func TestNoDialAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(GateOptions{})
		l := newLane(g)
		dialed := 0
		a := &attempt{lane: l, timeout: time.Hour, dial: func(context.Context, string, string) (net.Conn, error) {
			dialed++
			return nil, errors.New("no server")
		}}
		g.SetAdmission(Admission{Until: time.Now().Add(time.Second), Grace: time.Hour})
		failed := make(chan error, 1)
		go func() {
			_, err := a.dialCounted(t.Context(), "tcp", "nowhere")
			failed <- err
		}()
		synctest.Wait()
		time.Sleep(time.Second)
		g.SetLimit(1)
		l.setShare(1)
		synctest.Wait()
		if g.Waiting() != 1 || dialed != 0 {
			t.Errorf("%d wait and %d were dialed at the very end", g.Waiting(), dialed)
		}

		// A place that was given just before the stop is not used after it.
		g.SetAdmission(Admission{})
		<-failed
		s, err := g.admit(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		g.SetAdmission(Admission{Until: time.Now().Add(time.Second), Grace: time.Hour})
		time.Sleep(time.Minute)
		if g.begin(s) {
			t.Error("dialed a minute after the end")
		}
		s.finish()
		g.SetAdmission(Admission{})
	})
}
