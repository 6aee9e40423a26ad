package observer

import (
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// TestBoundFollowsConnectionLimits also shows that nothing is restarted for it.
func TestBoundFollowsConnectionLimits(t *testing.T) {
	s := newStage(t)
	s.role("watcher", "pg_monitor")
	s.role("second")
	s.Cleanup(func() { s.exec("alter role app connection limit -1") })
	o := s.observer("watcher")
	is := func(what string, want int) {
		t.Helper()
		if got := s.look(o).Bound; got != want {
			t.Errorf("%s: the bound is %d, want %d", what, got, want)
		}
	}

	is("nobody has a limit", events.MaxUnits)
	s.exec("alter role app connection limit 5")
	is("a limit of a role that no container has used", events.MaxUnits)
	s.exec("alter role watcher connection limit 1")
	is("the observer's own role is full of the observer", 1)
	s.exec("alter role watcher connection limit 9")
	is("the observer's own role has room", 8)

	s.container("app", "api", "one")
	is("a container's role has a limit", 5)
	s.connect("app", "psql")
	is("a stranger has one of it", 4)
	s.exec("alter role app connection limit 12")
	is("the limit is raised", 11)
	s.exec("alter database app connection limit 10")
	is("the database has a limit: administrator, psql and observer use three of it", 7)
	s.exec("alter database app connection limit 0")
	is("the database is closed to all", 0)
	s.exec("alter database app connection limit 10")

	s.container("second", "api", "two")
	is("a second role without a limit", 7)
	s.exec("alter database app connection limit -1", "alter role second connection limit 3")
	is("two roles with limits", 11+3)
	s.exec("alter role second connection limit -1")
	is("one of two has a limit", events.MaxUnits)
	s.exec("alter role second connection limit 3")

	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'conncord:default:api%'")
	s.lookUntil(o, "the containers are gone", func(l Look) bool { return len(l.Backends) == 0 })
	is("the containers' roles are remembered", 11+3)
	s.exec("alter role app connection limit 6")
	is("and their limits followed", 5+3)
	s.exec("drop role second")
	is("a role that is gone is forgotten", 5)
	s.exec("create role second")
}

func TestUsable(t *testing.T) {
	s := newStageOn(t, servertest.NeedPostgres(t, servertest.PostgresOptions{
		MaxConnections: 20, Settings: map[string]string{"superuser_reserved_connections": "7"},
	}))
	if got := s.look(s.observer("app")); got.Max != 20 || got.Usable != 13 {
		t.Errorf("max %d, usable %d, want 20 and 13", got.Max, got.Usable)
	}
}
