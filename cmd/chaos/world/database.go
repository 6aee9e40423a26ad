package world

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/cmd/internal/census"
	"github.com/conncord/conncord/events/servertest"
)

const (
	// RolePrefix begins the names of the containers' roles in the database.
	RolePrefix = "app_"

	// roles is how many processes there can be in one run: each has a role of
	// its own.
	roles = 2000

	// opsName is what chaos' own connections call themselves.
	opsName = "conncord-chaos"

	// Superuser is the role of chaos' own connections: of the judge's, and of those
	// that do something to the database.
	Superuser = "postgres"

	// ArbiterRole is as whom arbiters look at the database: an ordinary role with
	// what Supabase's role postgres was granted.
	ArbiterRole = "arbiter"

	// StrangerRole is the role of connections past Conncord.
	StrangerRole = "stranger"
)

// loginStatements make the roles that are no container's.
const loginStatements = "create role " + ArbiterRole + " login; grant pg_monitor, pg_signal_backend to " + ArbiterRole +
	"; create role " + StrangerRole + " login; "

// startDatabase starts a PostgreSQL with a role for each process to come. What
// is FATAL is logged, which is how a connection is refused, and nothing else, with
// the role that it is about in front.
func startDatabase(ctx context.Context, s *Settings, diary *Diary) (*servertest.Postgres, error) {
	pg, err := servertest.StartPostgres(ctx, servertest.PostgresOptions{
		MaxConnections: s.Limit,
		Settings:       map[string]string{"log_min_messages": "fatal", "log_min_error_statement": "panic", "log_line_prefix": "%u "},
		Output:         diary.Writer("postgres"),
	})
	if err != nil {
		return nil, err
	}
	conn, err := census.Connect(ctx, pg.SuperURL(), opsName)
	if err == nil {
		defer conn.Close(context.WithoutCancel(ctx))
		_, err = conn.Exec(ctx, fmt.Sprintf(
			loginStatements+"do $$ begin for i in 1..%d loop execute 'create role %s' || i || ' login'; end loop; end $$", roles, RolePrefix))
	}
	if err != nil {
		_ = pg.Stop()
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	return pg, nil
}

// nextRole returns a role that no process has had.
func (w *World) nextRole() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lastRole == roles {
		return "", fmt.Errorf("more than %d containers were started", roles)
	}
	w.lastRole++
	return RolePrefix + strconv.Itoa(w.lastRole), nil
}

func (w *World) databaseURL(role string) string { return asRole(w.Postgres.URL(), role) }

// Stranger connects past Conncord.
func (w *World) Stranger(ctx context.Context) (*pgconn.PgConn, error) {
	ctx, cancel := context.WithTimeout(ctx, serverWithin)
	defer cancel()
	return pgconn.Connect(ctx, asRole(w.Postgres.URL(), StrangerRole))
}

// Ask runs a statement as the superuser and returns the first column of all
// rows, as text.
func (w *World) Ask(ctx context.Context, statement string, args ...any) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, serverWithin)
	defer cancel()
	conn, err := census.Connect(ctx, w.Postgres.SuperURL(), opsName)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.TrimSpace(fmt.Sprint(values[0])))
	}
	return texts, rows.Err()
}
