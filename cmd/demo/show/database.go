package show

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/cmd/internal/census"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// ownLimit is max_connections of the demo's own PostgreSQL: what Supabase's
// smallest database has.
const ownLimit = 60

const (
	// headroom is what the arbiter leaves free for whoever comes past Conncord.
	headroom = 1

	// superuserSlots is what PostgreSQL keeps for superusers by default.
	superuserSlots = 3

	// The roles of the demo's own PostgreSQL beside the services': the arbiter's,
	// which may what Supabase's role postgres may, and that of somebody with psql.
	arbiterRole, strangerRole = "arbiter", "stranger"

	// strangerName is what psql calls its connections.
	strangerName = "psql"
)

// A database is the PostgreSQL that the services share.
type database struct {
	url     string // for the services
	limit   int
	reserve int // the services can have the rest, less
	others  int // what others have at the begin

	arbiterURL  string   // for the arbiter, to look at it
	platform    []string // roles that are no strangers
	strangerURL string   // for a stranger

	pollURL   string // for the poller
	count     string // how it counts the services' connections
	countArgs []any

	notes []string      // worth knowing, one sentence each
	log   func() string // what the server logged, if that can be seen
	stop  func() error  // removes what was started
}

// available is what the services can share at the begin.
func (d *database) available() int { return d.limit - d.reserve - d.others }

// reserveOf is the arbiter's default: 10 % rounded up.
func reserveOf(limit int) int { return (limit + 9) / 10 }

// startDatabase starts a PostgreSQL of the demo's own. Only the services connect
// to it as the role app, so all that this role has is counted.
func startDatabase(ctx context.Context) (database, error) {
	pg, err := servertest.StartPostgres(ctx, servertest.PostgresOptions{
		MaxConnections: ownLimit,
		// A connection that is refused is logged as FATAL. With nothing but these
		// in the log, none is missed.
		Settings: map[string]string{"log_min_messages": "fatal", "log_min_error_statement": "panic"},
	})
	if err != nil {
		return database{}, err
	}
	if err := createRoles(ctx, pg.SuperURL()); err != nil {
		return database{}, errors.Join(err, pg.Stop())
	}
	return database{
		// The reserve has room for three superusers, the arbiter, the poller and a
		// stranger.
		url: pg.URL(), limit: ownLimit, reserve: max(reserveOf(ownLimit), superuserSlots+2+headroom),
		arbiterURL: asRole(pg.URL(), arbiterRole), platform: []string{"postgres"}, strangerURL: asRole(pg.URL(), strangerRole),
		pollURL: pg.SuperURL(),
		count:   "select count(*) from pg_stat_activity where usename = 'app' and backend_type = 'client backend' and " + census.Together,
		log:     pg.Log, stop: pg.Stop,
	}, nil
}

// createRoles makes the roles that are no service's.
func createRoles(ctx context.Context, superURL string) error {
	conn, err := census.Connect(ctx, superURL, pollerName)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "create role "+arbiterRole+" login; grant pg_monitor, pg_signal_backend to "+arbiterRole+
		"; create role "+strangerRole+" login")
	return err
}

// asRole returns a database URL for another role.
func asRole(databaseURL, role string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return databaseURL
	}
	u.User = url.User(role)
	return u.String()
}

// useDatabase finds out how many connections a database of the user's has to
// share. limit is what the user says it has; 0: what it says itself.
func useDatabase(ctx context.Context, databaseURL string, limit int, budget string) (database, error) {
	d := database{
		url: databaseURL, pollURL: databaseURL, arbiterURL: databaseURL, strangerURL: databaseURL, stop: func() error { return nil }, log: func() string { return "" },
		// Others use this database as well, so the services' connections are
		// known by their name, which is set before a connection can be used. The
		// arbiter's is none of them.
		count:     "select count(*) from pg_stat_activity where application_name like $1 and application_name <> $2 and usesysid is not null and " + census.Together,
		countArgs: []any{"conncord:" + budget + ":%", events.ObserverName(budget)},
	}
	conn, err := census.Connect(ctx, databaseURL, pollerName)
	if err != nil {
		return d, fmt.Errorf("connect to DATABASE_URL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	facts, err := ask(ctx, conn)
	if err != nil {
		return d, fmt.Errorf("ask the database at DATABASE_URL for its limits: %w", err)
	}
	d.limit = min(facts.limit, maxLimit)
	if limit > 0 {
		d.limit = limit
	}
	// The slots that this role cannot have are reserved; the arbiter needs one, and
	// a stranger. What others have is theirs, and the poller is one of them: the
	// arbiter sees that for itself.
	d.reserve, d.others = max(reserveOf(d.limit), facts.reserved+1+headroom), facts.others+1
	if limit > facts.limit {
		d.notes = append(d.notes, fmt.Sprintf("SUPABASE_MAX_CONNECTIONS is %d, but the database allows %d: no more than that is granted", limit, facts.limit))
	}
	if facts.others > 0 {
		d.notes = append(d.notes, fmt.Sprintf("%d connections of others are left to them", facts.others))
	}
	if !facts.seesAll {
		d.notes = append(d.notes, "the role of DATABASE_URL sees only its own connections in full; with pg_monitor it would see those of others as well")
	}
	return d, nil
}

// facts are what a database says about itself.
type facts struct {
	limit    int  // of connections, for this role and database
	reserved int  // of these, for superusers and reserved roles
	others   int  // connections that are there already
	seesAll  bool // the role sees other roles' connections in full
}

const factsQuery = `
select
	least(
		current_setting('max_connections')::int,
		(select case when rolconnlimit < 0 then 1000000 else rolconnlimit end from pg_roles where rolname = current_user),
		(select case when datconnlimit < 0 then 1000000 else datconnlimit end from pg_database where datname = current_database())),
	current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0),
	(select count(*)::int from pg_stat_activity where pid <> pg_backend_pid() and datid is not null and usesysid is not null
		and coalesce(backend_type, 'client backend') = 'client backend'),
	(select rolsuper from pg_roles where rolname = current_user) or pg_has_role('pg_read_all_stats', 'usage')`

func ask(ctx context.Context, conn *pgx.Conn) (f facts, err error) {
	err = conn.QueryRow(ctx, factsQuery).Scan(&f.limit, &f.reserved, &f.others, &f.seesAll)
	return f, err
}
