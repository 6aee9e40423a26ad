package servertest

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

func pgConn(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(testContext(t), url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func pgDo(t *testing.T, url, sql string) {
	t.Helper()
	_, err := pgConn(t, url).Exec(testContext(t), sql)
	must(t, err)
}

func pgGet(t *testing.T, url, sql string) string {
	t.Helper()
	var value string
	must(t, pgConn(t, url).QueryRow(testContext(t), sql).Scan(&value))
	return value
}

func TestPostgresLife(t *testing.T) {
	t.Parallel()
	p, err := StartPostgres(t.Context(), PostgresOptions{
		MaxConnections: 20,
		Settings:       map[string]string{"application_name": `it's \ fine`, "work_mem": "1MB"},
	})
	must(t, err)
	home := p.srv.home.path

	t.Run("settings", func(t *testing.T) {
		for name, want := range map[string]string{
			"max_connections": "20", "work_mem": "1MB", "fsync": "off",
			"listen_addresses": "127.0.0.1", "server_encoding": "UTF8",
		} {
			if got := pgGet(t, p.URL(), "SHOW "+name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got, want := pgGet(t, p.SuperURL(), "SELECT setting FROM pg_file_settings WHERE name = 'application_name'"), `it's \ fine`; got != want {
			t.Errorf("application_name is %q, want %q", got, want)
		}
	})
	t.Run("roles", func(t *testing.T) {
		const who = "SELECT current_user || ' ' || current_database() || ' ' || rolsuper FROM pg_roles WHERE rolname = current_user"
		if got, want := pgGet(t, p.URL(), who), "app app false"; got != want {
			t.Errorf("URL is for %q, want %q", got, want)
		}
		if got, want := pgGet(t, p.SuperURL(), who), "postgres app true"; got != want {
			t.Errorf("SuperURL is for %q, want %q", got, want)
		}
	})
	t.Run("kill and restart", func(t *testing.T) {
		pgDo(t, p.URL(), "CREATE TABLE kept (v text); INSERT INTO kept VALUES ('committed')")
		// A backend that sleeps, and so notices its parent's death late, must
		// be gone, too, when Kill returns.
		busy := pgConn(t, p.URL())
		backend, failed := int(busy.PgConn().PID()), make(chan error, 1)
		go func() {
			_, err := busy.Exec(context.Background(), "SELECT pg_sleep(3600)")
			failed <- err
		}()
		url := p.URL()
		p.Kill()
		if err := <-failed; err == nil {
			t.Error("a query outlived the server")
		}
		// Its files are closed; the kernel may still be clearing the rest up.
		eventually(t, "the backend is gone", func() bool {
			return errors.Is(syscall.Kill(backend, 0), syscall.ESRCH) || zombie(backend)
		})
		if p.Pid() != 0 {
			t.Errorf("a killed server has pid %d", p.Pid())
		}
		must(t, p.Restart(testContext(t)))
		if p.URL() != url {
			t.Errorf("URL was %s, is %s", url, p.URL())
		}
		if got := pgGet(t, p.URL(), "SELECT v FROM kept"); got != "committed" {
			t.Errorf("after kill and restart: %q", got)
		}
		must(t, p.Restart(testContext(t))) // of a running server
		if got := pgGet(t, p.URL(), "SELECT v FROM kept"); got != "committed" {
			t.Errorf("after a clean restart: %q", got)
		}
	})
	t.Run("reset", func(t *testing.T) {
		open := pgConn(t, p.URL())
		must(t, p.Reset(testContext(t)))
		if err := open.Ping(testContext(t)); err == nil {
			t.Error("a session outlived the reset")
		}
		if got := pgGet(t, p.URL(), "SELECT (to_regclass('kept') IS NULL)::text"); got != "true" {
			t.Error("Reset left a table")
		}
		pgDo(t, p.URL(), "CREATE TABLE again (v text)") // app owns the new one
	})
	t.Run("stop", func(t *testing.T) {
		pid := p.Pid()
		pgConn(t, p.URL()) // an open session does not keep the server up
		must(t, p.Stop())
		wantGone(t, home)
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there (%v)", pid, err)
		}
	})
}

func TestPostgresStopAfterKillLeavesNothing(t *testing.T) {
	t.Parallel()
	p, err := StartPostgres(t.Context(), PostgresOptions{})
	must(t, err)
	segment := sharedMemoryID(p)
	if segment == 0 {
		t.Error("postmaster.pid names no shared memory segment")
	}
	p.Kill()
	must(t, p.Stop())
	wantGone(t, p.srv.home.path)
	if sharedMemoryExists(segment) {
		t.Errorf("shared memory segment %d is still there", segment)
	}
}

func TestPostgresErrorHoldsTheLog(t *testing.T) {
	t.Parallel()
	_, err := StartPostgres(t.Context(), PostgresOptions{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("error %v", err)
	}
}

func TestPostgresStartHonoursItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := StartPostgres(ctx, PostgresOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPostgresTriesAnotherPort(t *testing.T) {
	t.Parallel()
	other := NeedRedis(t)
	p, err := newPostgres(t.Context(), PostgresOptions{})
	must(t, err)
	ports := []int{other.srv.port, randomPort(), randomPort(), randomPort(), randomPort()}
	p.srv.pickPort = func() int {
		port := ports[0]
		ports = ports[1:]
		return port
	}
	must(t, p.create(testContext(t)))
	if len(ports) > 3 || strings.Contains(p.URL(), other.Addr()) {
		t.Errorf("at %s; the other server is at %s", p.URL(), other.Addr())
	}
	must(t, p.Stop())
}

func TestNewestPostgresFirst(t *testing.T) {
	root := t.TempDir()
	for _, version := range []string{"9.6", "15", "17"} {
		must(t, os.MkdirAll(root+"/pg/"+version+"/bin", 0o700))
	}
	t.Chdir(root)
	got := strings.Join(newestFirst([]string{"pg/*/bin"}), " ")
	if want := "pg/17/bin pg/15/bin pg/9.6/bin"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
