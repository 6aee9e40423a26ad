package observer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/events"
)

var anyStart = cmpopts.IgnoreFields(Backend{}, "Start")

func TestLookCounts(t *testing.T) {
	s := newStage(t)
	s.role("supabase_auth_admin")
	s.role("authenticator")
	s.role("watcher", "pg_monitor", "pg_signal_backend") // as Supabase's postgres
	api := s.container("app", "api", "one")
	viewer := s.container("app", "viewer", "two")
	again := s.container("supabase_auth_admin", "viewer", "two") // the name says more than the role
	s.connect("supabase_auth_admin", "auth")
	s.connect("authenticator", "")
	s.connect("authenticator", "PostgREST")
	s.connect("app", "psql")
	s.connect("app", events.ApplicationName("another", "api", "one"))
	s.connect("app", events.ObserverName("another"))
	s.connect("app", events.ObserverName("default")) // a former leader's
	o := s.observer("watcher")

	got := s.look(o)
	backends := []Backend{backend(api, "api", "one"), backend(viewer, "viewer", "two"), backend(again, "viewer", "two")}
	slices.SortStableFunc(backends, func(a, b Backend) int { return strings.Compare(a.Tag, b.Tag) })
	if age := time.Since(time.UnixMicro(got.Began)); age < 0 || age > patience {
		t.Errorf("the look began %v ago", age)
	}
	want := Look{
		Began: got.Began, Max: 60, Usable: 57, Bound: events.MaxUnits,
		Platform: 1 + 2 + 1 + 1, External: 1 + 1 + 1 + 1, // the administrator is a stranger, too
		Named: true, MayEnd: true,
		Backends: backends,
		Others: []Other{
			{Role: "app", Address: "127.0.0.1", Count: 3},
			{Role: "authenticator", Address: "127.0.0.1", Platform: true, Count: 2},
			{Role: "app", Address: "127.0.0.1", Platform: true, Count: 1},
			{Role: "postgres", Address: "127.0.0.1", Count: 1},
			{Role: "supabase_auth_admin", Address: "127.0.0.1", Platform: true, Count: 1},
			{Role: "watcher", Address: "127.0.0.1", Platform: true, Count: 1},
		},
	}
	if diff := cmp.Diff(want, got, anyStart); diff != "" {
		t.Error("-want +got\n" + diff)
	}
	for _, b := range got.Backends {
		if age := time.Since(time.UnixMicro(b.Start)); age < 0 || age > patience {
			t.Errorf("backend %d began %v ago", b.PID, age)
		}
	}
	if s.log.String() != "" {
		t.Errorf("log: %s", s.log)
	}

	nobody := s.observer("watcher", func(cfg *Config) { cfg.Platform = []string{} })
	if got := s.look(nobody); got.Platform != 1+1+1 || got.External != 4+3 { // both observers here, and the former leader's
		t.Errorf("without platform roles: platform %d, external %d", got.Platform, got.External)
	}
}

// TestLookSeesWhatJustBegan: a look shows what was accepted before it began, and not what is gone for good.
func TestLookSeesWhatJustBegan(t *testing.T) {
	s := newStage(t)
	o := s.observer("app")
	s.look(o)
	for i := range 20 {
		id := fmt.Sprint("c", i)
		conn, err := s.dial("app", events.ApplicationName("default", "api", id))
		if err != nil {
			t.Fatal(err)
		}
		look := s.look(o)
		if diff := cmp.Diff([]Backend{backend(conn, "api", id)}, look.Backends, anyStart); diff != "" {
			t.Fatal("-want +got\n" + diff)
		}
		conn.Close(t.Context())
		s.lookUntil(o, "the backend is gone", func(l Look) bool { return len(l.Backends) == 0 })
	}
}

func TestLocalSocket(t *testing.T) {
	s := newStage(t)
	var dir string
	if err := s.super.QueryRow(t.Context(), "show unix_socket_directories").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	o := s.observer("app", func(cfg *Config) {
		cfg.URL = fmt.Sprintf("postgres://app@/app?host=%s&port=%d", dir, s.super.Config().Port)
	})
	if got, want := s.look(o).Others[0], (Other{Role: "app", Address: "[local]", Platform: true, Count: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestOnlyClientsCount: what does not use up max_connections is not counted. A parallel worker carries the name of the
// connection that it works for.
func TestOnlyClientsCount(t *testing.T) {
	s := newStage(t)
	s.role("watcher", "pg_monitor")
	s.role("plain")
	s.role("replicator")
	s.exec("alter role replicator replication")
	replica, err := pgconn.Connect(t.Context(), s.url("replicator")+"&replication=database")
	if err != nil {
		t.Fatal(err)
	}
	defer replica.Close(context.Background())
	conn := s.container("app", "api", "one")
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn.Exec(t.Context(), "set force_parallel_mode = on; select pg_sleep(600) from (values (1)) as v")
	}()
	eventually(t, "a parallel worker runs", func() bool {
		var n int
		if err := s.super.QueryRow(t.Context(), "select count(*) from pg_stat_activity where backend_type = 'parallel worker'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 1
	})
	if got := s.look(s.observer("watcher")); len(got.Backends) != 1 || got.External != 1 {
		t.Errorf("the parallel worker counts, or the replica: %+v", got)
	}
	if got := s.look(s.observer("plain")); len(got.Backends) != 2 || got.Named {
		t.Errorf("to a plain role it should look like a connection: named %v, %+v", got.Named, got.Backends)
	}
	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'conncord:%:api:%'")
	<-done
}
