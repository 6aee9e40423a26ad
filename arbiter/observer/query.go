package observer

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// sight is what the database answered in one look.
type sight struct {
	settings settings
	limits   []limit
	rows     []row
}

// settings are the database's, and what the observer's role is and may.
type settings struct {
	Began         int64 // microseconds, the database's clock
	Max           int
	SuperReserved int
	Reserved      int // 0 before PostgreSQL 16

	Role     string
	Database string
	SeesAll  bool // has pg_read_all_stats
}

// A limit is the CONNECTION LIMIT of a role or a database.
type limit struct {
	IsRole bool
	Name   string
	Most   int // −1: none
}

// row is one client backend.
type row struct {
	PID      int32
	Start    int64 // microseconds; 0: hidden
	Name     string
	Role     string // "": not logged in yet, or the role has been dropped
	Database string
	Address  string

	Own      bool // the observer's own
	Starting bool
	Hidden   bool
	MayEnd   bool

	RoleMost     int // CONNECTION LIMIT; −1: none
	DatabaseMost int
}

const settingsQuery = `
select (extract(epoch from statement_timestamp()) * 1000000)::bigint,
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int,
       coalesce(current_setting('reserved_connections', true)::int, 0),
       current_user::text, current_database()::text,
       pg_has_role('pg_read_all_stats', 'usage')`

// roleMost is a role's limit, which a superuser does not have.
const roleMost = `case when r.rolsuper then -1 else r.rolconnlimit end`

// limitsQuery returns the limits of those of the roles $1 and the databases $2 that still are there.
const limitsQuery = `
select true, r.rolname::text, ` + roleMost + ` from pg_roles r where r.rolname = any ($1)
union all
select false, d.datname::text, d.datconnlimit from pg_database d where d.datname = any ($2)`

// startMicros is when a backend started, exactly: PostgreSQL counts microseconds. Text would depend on the session's
// settings.
const startMicros = `(extract(epoch from a.backend_start) * 1000000)::bigint`

// mayEnd is PostgreSQL's own rule for pg_terminate_backend.
const mayEnd = `coalesce((pg_has_role(a.usesysid, 'usage') or pg_has_role('pg_signal_backend', 'usage'))
       and (not r.rolsuper or (select rolsuper from pg_roles where rolname = current_user)), false)`

// rowsQuery returns the client backends. Where their type is hidden, everything that has a role and a database counts.
// That takes in parallel workers and logical replication, and leaves out what the server does on its own.
const rowsQuery = `
select a.pid, coalesce(` + startMicros + `, 0), coalesce(a.application_name, ''), coalesce(a.usename::text, ''),
       coalesce(a.datname::text, ''),
       coalesce(host(a.client_addr), case when a.client_port = -1 then '[local]' else '' end),
       a.pid = pg_backend_pid(), a.usesysid is null, a.backend_start is null, ` + mayEnd + `,
       coalesce(` + roleMost + `, -1), coalesce(d.datconnlimit, -1)
from pg_stat_activity a left join pg_roles r on r.oid = a.usesysid left join pg_database d on d.oid = a.datid
where a.backend_type = 'client backend'
   or a.backend_start is null and a.datid is not null and a.usesysid is not null`

// see asks the three questions in one round trip, which is one transaction.
func see(ctx context.Context, conn *pgx.Conn, known uses) (sight, error) {
	roles, databases := known.names()
	var s sight
	var batch pgx.Batch
	batch.Queue(settingsQuery).QueryRow(func(r pgx.Row) error {
		return r.Scan(&s.settings.Began, &s.settings.Max, &s.settings.SuperReserved, &s.settings.Reserved,
			&s.settings.Role, &s.settings.Database, &s.settings.SeesAll)
	})
	batch.Queue(limitsQuery, roles, databases).Query(func(rows pgx.Rows) (err error) {
		s.limits, err = pgx.CollectRows(rows, pgx.RowToStructByPos[limit])
		return err
	})
	batch.Queue(rowsQuery).Query(func(rows pgx.Rows) (err error) {
		s.rows, err = pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		return err
	})
	return s, conn.SendBatch(ctx, &batch).Close()
}
