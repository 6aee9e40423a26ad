package observer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/events/servertest"
)

// selfSigned writes a certificate for 127.0.0.1 and its key into a directory.
func selfSigned(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", der)
}

// TestTLS turns TLS on in a running server, because the server demands that the key belongs to its own user, and who
// that is shows in its files.
func TestTLS(t *testing.T) {
	s := newStageOn(t, servertest.NeedPostgres(t))
	var data string
	if err := s.super.QueryRow(t.Context(), "show data_directory").Scan(&data); err != nil {
		t.Fatal(err)
	}
	owner, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := selfSigned(t, data)
	for _, path := range []string{cert, key} {
		stat := owner.Sys().(*syscall.Stat_t)
		if err := os.Chown(path, int(stat.Uid), int(stat.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	o := s.observer("app", func(cfg *Config) { cfg.URL = strings.Replace(cfg.URL, "sslmode=disable", "sslmode=require", 1) })
	if _, err := o.Look(t.Context()); err == nil {
		t.Error("sslmode=require is content without TLS")
	}
	s.exec("alter system set ssl_cert_file = '"+cert+"'", "alter system set ssl_key_file = '"+key+"'",
		"alter system set ssl = on", "select pg_reload_conf()")

	encrypted := func(o *Observer) (is bool) {
		t.Helper()
		if err := s.super.QueryRow(t.Context(), "select ssl from pg_stat_ssl where pid = $1", int32(o.line.conn.PgConn().PID())).Scan(&is); err != nil {
			t.Fatal(err)
		}
		return is
	}
	s.lookUntil(o, "the observer looks through TLS", anything)
	if !encrypted(o) {
		t.Error("sslmode=require looks in the clear")
	}
	full := s.observer("app", func(cfg *Config) {
		cfg.URL = strings.Replace(cfg.URL, "sslmode=disable", "sslmode=verify-full&sslrootcert="+cert, 1)
	})
	if s.look(full); !encrypted(full) {
		t.Error("sslmode=verify-full looks in the clear")
	}

	// What goes wrong below TLS has to end in time, too.
	mine := int(o.line.conn.PgConn().PID())
	if err := syscall.Kill(mine, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(mine, syscall.SIGCONT) })
	inTime(t, "a look at a stopped backend", LookTimeout, func() {
		if _, err := o.Look(t.Context()); err == nil {
			t.Error("a stopped backend has answered")
		}
	})
	s.lookUntil(o, "the next connection looks through TLS", anything)
}
