package observer

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// TestLoginHasItsPlaceUnseen pins down what the package doc says of clients in the middle of the password exchange, on
// which others rely: they have their places, and up to PostgreSQL 17 no look shows them.
func TestLoginHasItsPlaceUnseen(t *testing.T) {
	s := newStageOn(t, servertest.NeedPostgres(t, servertest.PostgresOptions{MaxConnections: 10}))
	var hba, version string
	if err := s.super.QueryRow(t.Context(), "select current_setting('hba_file'), current_setting('server_version_num')").Scan(&hba, &version); err != nil {
		t.Fatal(err)
	}
	if n, err := strconv.Atoi(version); err != nil || n >= 180_000 {
		t.Skipf("PostgreSQL %s shows them, as starting; TestCount has that", version)
	}
	if err := os.WriteFile(hba, []byte("host all guest all scram-sha-256\nhost all all all trust\nlocal all all trust\n"), 0); err != nil {
		t.Fatal(err)
	}
	s.exec("select pg_reload_conf()", "create role guest login password 'x'", "grant pg_monitor to app")
	o := s.observer("app")
	before := s.look(o)

	cfg := s.super.Config()
	join := func() (answered bool) {
		conn, err := net.Dial("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		guest := pgproto3.NewFrontend(conn, conn)
		guest.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{
			"user": "guest", "database": "app", "application_name": events.ApplicationName("default", "api", "one"),
		}})
		if err := guest.Flush(); err != nil {
			t.Fatal(err)
		}
		answer, err := guest.Receive()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		_, asked := answer.(*pgproto3.AuthenticationSASL)
		return asked
	}
	eventually(t, "the server asks guests for a password", join)
	places := 1
	for join() {
		places++
	}
	t.Logf("%d clients in the middle of the login", places)
	if _, err := s.observer("app").Look(t.Context()); !errors.Is(err, ErrFull) {
		t.Error("the database should be full of them:", err)
	}
	after := s.look(o)
	if after.External != before.External || len(after.Backends) != 0 || after.Starting != 0 {
		t.Errorf("they are shown: %+v", after)
	}
}
