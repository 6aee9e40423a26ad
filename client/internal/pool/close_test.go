package pool

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The user closes the library's pool and knows nothing of ours: nothing may hang, and nothing may be left.
func TestUserCloses(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 10)
			g.SetLimit(4)
			tg.SetMax(4)
			release := tg.hold(t, 2)
			wait := together(1, func() error {
				if tg.sql != nil {
					return tg.sql.Close()
				}
				tg.pgx.Close()
				return nil
			})
			eventually(t, "the pool is closed", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := tg.try(ctx)
				return err != nil
			})
			release()
			if err := wait(); err != nil {
				t.Error(err)
			}
			eventually(t, "all connections are closed", func() bool { return g.Open() == 0 })
		})
	}
}

func TestCloseEndsWaiters(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 10)
			// The gate admits nobody, so some wait in a dial, and some in the library.
			tg.SetMax(2)
			wait := together(6, func() error {
				if tg.exec(context.Background(), "select 1") == nil {
					return errors.New("a query without a connection succeeded")
				}
				return nil
			})
			eventually(t, "they wait", func() bool { return tg.Usage().Waiting >= 6 })
			tg.close(t)
			if err := wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Close of the gate ends what is in use, and the pools can be closed after it.
func TestGateCloses(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 10)
			g.SetLimit(4)
			tg.SetMax(4)
			wait := together(3, func() error {
				if tg.exec(context.Background(), "select pg_sleep(600)") == nil {
					return errors.New("a killed query succeeded")
				}
				return nil
			})
			eventually(t, "the queries run", func() bool { return d.running("pg_sleep") == 3 })
			if err := g.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if n := d.count(); n != 0 {
				t.Errorf("the database has %d connections after the gate was closed", n)
			}
			if err := wait(); err != nil {
				t.Error(err)
			}
			if err := tg.exec(t.Context(), "select 1"); !errors.Is(err, ErrGateClosed) {
				t.Errorf("a dial through the closed gate: %v", err)
			}
		})
	}
}

// deafProxy stands between client and server and, once deaf, passes ends of streams and cancel requests on no more: to
// each the other one lives.
type deafProxy struct {
	net.Listener
	backend string
	wg      sync.WaitGroup
	mu      sync.Mutex
	deaf    bool
	conns   []net.Conn
}

func newDeafProxy(t *testing.T, backend string) *deafProxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &deafProxy{Listener: l, backend: backend}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		p.Close()
		p.hangUp()
		p.wg.Wait()
	})
	return p
}

func (p *deafProxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		if deaf {
			client.Close()
			continue
		}
		server, err := net.Dial("tcp", p.backend)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.wg.Go(func() {
			io.Copy(client, server)
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.deaf {
				client.Close()
			}
		})
		p.wg.Go(func() {
			io.Copy(server, client)
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.deaf {
				server.(*net.TCPConn).CloseWrite()
			}
		})
	}
}

func (p *deafProxy) beDeaf() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = true
}

// hangUp ends all connections.
func (p *deafProxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// The place of a closed connection is kept while the server still works for it, however long ago the client left.
func TestSlowCloseKeepsThePlace(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			changes := make(chan struct{}, 100)
			g := newGate(t, GateOptions{
				CancelDelay: time.Millisecond,
				OnChange: func() {
					select {
					case changes <- struct{}{}:
					default:
					}
				},
			})
			proxy := new(deafProxy)
			tg := openTarget(t, kind, d, g, 2, func(cfg *pgx.ConnConfig) {
				proxy = newDeafProxy(t, net.JoinHostPort(cfg.Host, itoa(cfg.Port)))
				cfg.Fallbacks = nil
				addr := proxy.Addr().(*net.TCPAddr)
				cfg.Host, cfg.Port = addr.IP.String(), uint16(addr.Port)
			})
			g.SetLimit(1)
			tg.SetMax(1)
			ctx, cancel := context.WithCancel(t.Context())
			wait := together(1, func() error { tg.exec(ctx, "select pg_sleep(600)"); return nil })
			eventually(t, "the query runs", func() bool { return d.running("pg_sleep") == 1 })
			proxy.beDeaf()
			g.Kill(0)
			cancel()
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			// The next connection has to wait for the place.
			ctx, cancel = context.WithCancel(t.Context())
			next := together(1, func() error { tg.exec(ctx, "select 1"); return nil })
			eventually(t, "the next one waits", func() bool { return g.Waiting() == 1 })
			if g.Open() != 1 || d.running("pg_sleep") != 1 {
				t.Errorf("Open() = %d while the server is at work", g.Open())
			}
			proxy.hangUp() // now the server learns of it, within its check interval
			eventually(t, "the place is free", func() bool { return d.running("pg_sleep") == 0 && g.Waiting() == 0 })
			cancel()
			if err := next(); err != nil {
				t.Error(err)
			}
			if len(changes) == 0 {
				t.Error("OnChange was never called")
			}
		})
	}
}

// A server that never ends a connection costs its place for the bounded time only, and a warning.
func TestCloseTimeout(t *testing.T) {
	d := newDatabase(t)
	log := new(syncBuffer)
	g := newGate(t, GateOptions{CloseTimeout: 50 * time.Millisecond, CancelDelay: time.Millisecond, Logger: log.logger()})
	var proxy *deafProxy
	tg := openTarget(t, "sql", d, g, 1, func(cfg *pgx.ConnConfig) {
		proxy = newDeafProxy(t, net.JoinHostPort(cfg.Host, itoa(cfg.Port)))
		cfg.Fallbacks = nil
		addr := proxy.Addr().(*net.TCPAddr)
		cfg.Host, cfg.Port = addr.IP.String(), uint16(addr.Port)
	})
	g.SetLimit(1)
	tg.SetMax(1)
	wait := together(1, func() error { tg.exec(context.Background(), "select pg_sleep(600)"); return nil })
	eventually(t, "the query runs", func() bool { return d.running("pg_sleep") == 1 })
	proxy.beDeaf()
	g.Kill(0)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the place is given back", func() bool { return g.Open() == 0 })
	if got := strings.Count(log.String(), "did not end a closed connection"); got != 1 {
		t.Errorf("%d warnings, want 1:\n%s", got, log)
	}
	proxy.hangUp()
}
