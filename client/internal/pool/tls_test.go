package pool

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// newTLSProxy gives a server without TLS the look of one with it.
func newTLSProxy(t *testing.T, backend string) *net.TCPAddr {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	serve := func(raw net.Conn) {
		defer raw.Close()
		server, err := net.Dial("tcp", backend)
		if err != nil {
			return
		}
		defer server.Close()
		if _, err := io.ReadFull(raw, make([]byte, 8)); err != nil { // SSLRequest
			return
		}
		if _, err := raw.Write([]byte("S")); err != nil {
			return
		}
		client := tls.Server(raw, config)
		wg.Go(func() {
			io.Copy(server, client)
			server.(*net.TCPConn).CloseWrite()
		})
		io.Copy(client, server)
	}
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr)
}

// TLS sits above the counted socket: counting, ending and cancelling have to work below it.
func TestTLS(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			cfg, err := pgx.ParseConfig(d.url)
			if err != nil {
				t.Fatal(err)
			}
			addr := newTLSProxy(t, net.JoinHostPort(cfg.Host, itoa(cfg.Port)))
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 5, func(cfg *pgx.ConnConfig) {
				cfg.Host, cfg.Port, cfg.Fallbacks = addr.IP.String(), uint16(addr.Port), nil
				cfg.TLSConfig = &tls.Config{InsecureSkipVerify: true}
			})
			g.SetLimit(5)
			tg.SetMax(5)
			tg.hold(t, 5)()
			if n := d.count(); n != 5 || g.Open() != 5 {
				t.Errorf("the database has %d connections, the gate %d, want 5", n, g.Open())
			}
			tg.SetMax(2)
			eventually(t, "the surplus is gone", func() bool { return g.Open() == 2 })
			if n := d.count(); n != 2 {
				t.Errorf("the database has %d connections, want 2", n)
			}
			wait := together(2, func() error {
				if tg.exec(t.Context(), "select pg_sleep(600)") == nil {
					return errors.New("a killed query succeeded")
				}
				return nil
			})
			eventually(t, "the queries run", func() bool { return d.running("pg_sleep") == 2 })
			g.Kill(0)
			eventually(t, "the busy ones are gone", func() bool { return g.Open() == 0 })
			if n := d.count(); n != 0 {
				t.Errorf("the database has %d connections, want none", n)
			}
			if err := wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
