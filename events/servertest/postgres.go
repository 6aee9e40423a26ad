package servertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// appRole is the ordinary role tests connect as, and the name of its
	// database.
	appRole = "app"

	// superRole is the superuser.
	superRole = "postgres"

	// defaultMaxConnections is enough for several pools and small enough that
	// a leak shows.
	defaultMaxConnections = 60
)

// PostgresOptions describe a PostgreSQL server. The zero value is a server
// that syncs nothing to disk: what is committed survives Kill, but would not
// survive a power failure.
type PostgresOptions struct {
	// MaxConnections is the server's max_connections; 0 means 60. PostgreSQL
	// keeps three of them for superusers.
	MaxConnections int

	// Settings are added to postgresql.conf, where they win over what this
	// package sets: {"lock_timeout": "5s"}.
	Settings map[string]string

	// Output gets everything that the server writes, over all its restarts; Log
	// keeps only the end.
	Output io.Writer
}

// Postgres is a running PostgreSQL server with an empty database app, owned by
// the ordinary role app. Its methods are safe for concurrent use.
type Postgres struct {
	opts PostgresOptions
	data string
	srv  *server
}

// StartPostgres makes a new database cluster, starts a server on it and
// returns when it answers. That takes about a second. The context bounds the
// start only; the server runs until Stop. When the server's programs are
// missing the error matches [ErrNotInstalled].
//
// PostgreSQL refuses to run as root. When this process is root's, the server
// runs as the user postgres, or nobody where that does not exist.
func StartPostgres(ctx context.Context, opts PostgresOptions) (*Postgres, error) {
	p, err := newPostgres(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("servertest: %w", err)
	}
	if err := p.create(ctx); err != nil {
		p.srv.kill()
		p.forget()
		return nil, fmt.Errorf("servertest: %w", errors.Join(err, p.srv.home.remove()))
	}
	return p, nil
}

// newPostgres makes a server's cluster without starting it.
func newPostgres(ctx context.Context, opts PostgresOptions) (*Postgres, error) {
	bin, err := postgresBinDir()
	if err != nil {
		return nil, err
	}
	cred, err := unprivileged()
	if err != nil {
		return nil, err
	}
	home, err := newScratch(cred)
	if err != nil {
		return nil, err
	}
	p := &Postgres{opts: opts, data: home.join("data")}
	p.srv = &server{
		name: "postgres", home: home, cred: cred, pickPort: randomPort,
		// SIGINT is PostgreSQL's fast shutdown: it ends the clients'
		// sessions where SIGTERM waits for them.
		stopSignal: syscall.SIGINT, onParentDeath: syscall.SIGINT,
		ready: p.answers,
		command: func(port int) (*exec.Cmd, error) {
			return exec.Command(filepath.Join(bin, "postgres"),
				"-D", p.data, "-p", strconv.Itoa(port), "-k", home.path,
				"-c", "listen_addresses=127.0.0.1"), nil
		},
	}
	p.srv.log.all = opts.Output
	return p, p.initdb(ctx, bin)
}

// initdb makes the cluster.
func (p *Postgres) initdb(ctx context.Context, bin string) error {
	home := p.srv.home
	// Nothing here needs to outlast a power failure, so nothing is synced.
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", p.data, "-U", superRole,
		"-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	cmd.Dir = home.path
	cmd.Env = serverEnv()
	ctx, cancel := context.WithTimeout(ctx, initdbTimeout)
	defer cancel()
	proc, err := startProcess(cmd, &p.srv.log, p.srv.cred, syscall.SIGKILL)
	if err == nil {
		select {
		case <-proc.done:
			err = proc.err
		case <-ctx.Done():
			err = errors.Join(context.Cause(ctx), proc.kill())
		}
	}
	if err == nil {
		err = p.configure()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("initdb: %w\n%s", err, p.srv.log.String()), home.remove())
	}
	return nil
}

// configure appends our settings to the file that initdb made, so that the
// server's user stays its owner.
func (p *Postgres) configure() error {
	settings := map[string]string{
		// What the server has written stays in the kernel's memory when it is
		// killed. Only a power failure would take it, and nothing here needs
		// to outlast one. synchronous_commit stays on, however: without
		// it a commit is answered before it is written, and Kill loses it.
		"fsync":            "off",
		"full_page_writes": "off",
		"shared_buffers":   "16MB",
		"timezone":         "UTC",
		"log_timezone":     "UTC",
		// Keeps all shared memory but a token in files under the data
		// directory, where it goes with the rest when the server is killed.
		"dynamic_shared_memory_type": "mmap",
		"max_connections":            strconv.Itoa(cmp.Or(p.opts.MaxConnections, defaultMaxConnections)),
	}
	maps.Copy(settings, p.opts.Settings)
	var conf strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&conf, "%s = '%s'\n", name, strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(settings[name]))
	}
	file, err := os.OpenFile(filepath.Join(p.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString("\n# servertest\n" + conf.String())
	return errors.Join(err, file.Close())
}

// create starts the new server for the first time and makes the role app and
// its database.
func (p *Postgres) create(ctx context.Context) error {
	if err := p.srv.launch(ctx); err != nil {
		return err
	}
	return p.super(ctx, "CREATE ROLE "+appRole+" LOGIN", "CREATE DATABASE "+appRole+" OWNER "+appRole)
}

// super runs statements as the superuser, each in its own transaction.
func (p *Postgres) super(ctx context.Context, statements ...string) error {
	conn, err := pgconn.Connect(ctx, p.socketDSN(p.srv.port))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// answers reports nil once the server accepts connections; during recovery
// it refuses them.
func (p *Postgres) answers(ctx context.Context, port int) error {
	conn, err := pgconn.Connect(ctx, p.socketDSN(port))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (p *Postgres) socketDSN(port int) string {
	return fmt.Sprintf("host='%s' port=%d user=%s dbname=postgres sslmode=disable", p.srv.home.path, port, superRole)
}

// URL returns a postgres:// URL for the role app, which owns the database app
// and is no superuser.
func (p *Postgres) URL() string { return p.url(appRole) }

// SuperURL returns a postgres:// URL for the superuser, in the database app.
func (p *Postgres) SuperURL() string { return p.url(superRole) }

func (p *Postgres) url(role string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, p.srv.port, appRole)
}

// Pid returns the process id of the server's first process, the postmaster,
// or 0 while it is down. To end the server use Kill; one that goes down
// otherwise counts as crashed.
func (p *Postgres) Pid() int { return p.srv.pid() }

// Log returns the end of what the server has written since its last start.
func (p *Postgres) Log() string { return p.srv.log.String() }

// Stop shuts the server down for good, ending its clients' sessions, and
// removes its directory. It reports a server that had ended by itself, or that
// had to be killed because it did not shut down in time. Further calls do
// nothing.
func (p *Postgres) Stop() error { return p.srv.stop(p.forget) }

// Kill ends the server with kill -9 and returns when it and all its backends
// are gone. The port and the data stay, for Restart, which then has to
// recover. Stop reports if killing failed.
func (p *Postgres) Kill() { p.srv.kill() }

// Restart starts the server again on the same port and data, after shutting it
// down if it is running. The context bounds the start.
func (p *Postgres) Restart(ctx context.Context) error {
	return p.srv.restart(ctx, func() error { return nil })
}

// Reset replaces the database app by an empty one, for the next test that
// shares the server. It ends the sessions that are still connected to it.
// Other databases, roles and settings stay as they are.
func (p *Postgres) Reset(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, resetTimeout)
	defer cancel()
	err := p.super(ctx, "DROP DATABASE IF EXISTS "+appRole+" WITH (FORCE)", "CREATE DATABASE "+appRole+" OWNER "+appRole)
	if err != nil {
		return fmt.Errorf("servertest: reset: %w", err)
	}
	return nil
}

// forget removes what a killed server has left outside its directory.
func (p *Postgres) forget() {
	if id := sharedMemoryID(p); id != 0 {
		removeSharedMemory(id)
	}
}

// sharedMemoryID returns the shared memory segment that the seventh line of
// postmaster.pid names, or 0. A server that shuts down removes both.
func sharedMemoryID(p *Postgres) int {
	text, err := os.ReadFile(filepath.Join(p.data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return 0
	}
	var key, id int
	if _, err := fmt.Sscan(lines[6], &key, &id); err != nil {
		return 0
	}
	return id
}
