package trial

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/internal/census"
)

const (
	// pollerName is what the counting connection calls itself.
	pollerName = "conncord-chaos-judge"

	// reconnect is the pause before the database is tried again.
	reconnect = 5 * time.Millisecond

	// goneWithin bounds the wait for the last backends to end.
	goneWithin = 5 * time.Second
)

// backendsQuery counts the backends that are not the superuser's, by role. It
// asks the function behind pg_stat_activity, because the view would look through
// all roles each time.
const backendsQuery = "select pg_get_userbyid(usesysid), count(*)::int from pg_stat_get_activity(null) " +
	"where usesysid <> 10 and backend_type = 'client backend' and " + census.Together + " group by 1"

// count counts the backends until the context ends.
func (r *run) count(ctx context.Context) {
	for ctx.Err() == nil {
		_ = census.Poll(ctx, r.world.Postgres.SuperURL(), pollerName, func(ctx context.Context, conn *pgx.Conn) error {
			roles, err := backends(ctx, conn)
			if err != nil {
				return err
			}
			c := judge.Count{At: time.Now(), Roles: roles}
			for role, n := range roles {
				c.All += n
				if strings.HasPrefix(role, world.RolePrefix) {
					c.Total += n
				} else {
					delete(roles, role)
				}
			}
			r.limits.Take(c)
			return nil
		})
		r.limits.Interrupted()
		_ = wait(ctx, reconnect)
	}
}

func backends(ctx context.Context, conn *pgx.Conn) (map[string]int, error) {
	rows, err := conn.Query(ctx, backendsQuery)
	if err != nil {
		return nil, err
	}
	roles := map[string]int{}
	var role string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&role, &n}, func() error {
		roles[role] = n
		return nil
	})
	return roles, err
}

// nothingLeft reports backends that are there although all containers have
// ended.
func (r *run) nothingLeft() error {
	ctx, cancel := context.WithTimeout(context.Background(), goneWithin)
	defer cancel()
	for {
		left, err := r.world.Ask(ctx, "select usename from pg_stat_activity where usename like $1", world.RolePrefix+"%")
		if err == nil && len(left) == 0 {
			return nil
		}
		if wait(ctx, lookEvery) != nil {
			return fmt.Errorf("all containers have ended, and backends are left of %v (%v)", left, err)
		}
	}
}
