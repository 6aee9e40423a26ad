package observer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/events"
)

// endQuery ends the backends with process ids $1, starts $2 and names $3, as far as there still are such and we may. The
// list is compared with the backends of this moment, in the statement that ends them: a process id alone may have gone
// over to somebody else since the look.
const endQuery = `
select count(*) filter (where ended), count(*) filter (where not may)
from (
  select may, case when may then pg_terminate_backend(pid) else false end as ended
  from (
    select a.pid, ` + mayEnd + ` as may
    from unnest($1::int[], $2::bigint[], $3::text[]) as v(pid, start, name)
    join pg_stat_activity a on a.pid = v.pid and ` + startMicros + ` = v.start and a.application_name = v.name
                           and a.backend_type = 'client backend'
    left join pg_roles r on r.oid = a.usesysid
    offset 0
  ) as victim
) as outcome`

// End ends backends of containers, as a look has shown them, and returns how many it told to end; a later look shows
// them gone. One that has ended since, or whose process id, start and name are not all the same any more, is left alone
// and is no error. When the role may not end some of them, the others are ended and the error matches [ErrMayNotEnd].
func (o *Observer) End(ctx context.Context, victims []Backend) (ended int, err error) {
	if len(victims) == 0 {
		return 0, nil
	}
	pids, starts, names := make([]int32, len(victims)), make([]int64, len(victims)), make([]string, len(victims))
	for i, v := range victims {
		if _, _, ours := events.ParseApplicationName(o.budget, v.Name); !ours || v.Start == 0 {
			return 0, fmt.Errorf("end backend %d (%q): no container's, or its start is hidden", v.PID, v.Name)
		}
		pids[i], starts[i], names[i] = v.PID, v.Start, v.Name
	}
	err = o.ask(ctx, "end backends", func(ctx context.Context, conn *pgx.Conn) error {
		var refused int
		if err := conn.QueryRow(ctx, endQuery, pids, starts, names).Scan(&ended, &refused); err != nil {
			return err
		}
		if refused > 0 {
			return fmt.Errorf("%w: %d of %d (as %s: GRANT pg_signal_backend TO the role; a superuser's cannot be ended)",
				ErrMayNotEnd, refused, len(victims), o.pg.User)
		}
		return nil
	})
	return ended, err
}
