package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const redisBinary = "redis-server"

// RedisOptions describe a Redis server. The zero value is a server that keeps
// everything in memory and stands alone.
type RedisOptions struct {
	// Dir is where the data goes. It is made when it does not exist, and
	// stays when the server is stopped. Empty means a temporary directory,
	// which Stop removes.
	Dir string

	// AppendOnly has the server write every change to its append-only file,
	// so that data survives Kill and Restart. Redis syncs the file to disk
	// once a second, which matters only when the machine itself dies.
	AppendOnly bool

	// ReplicaOf makes the server a replica of another one. StartRedis then
	// returns after the first synchronisation. After a restart the server is
	// a replica again, even when it had been promoted in the meantime.
	ReplicaOf *Redis

	// Args are added to the command line, where they win over what this
	// package sets: {"--maxmemory", "1mb"}. A password must not be among
	// them; the package asks the server questions without one.
	Args []string

	// CanFill allows [Redis.FillDisk].
	CanFill bool

	// Output gets everything that the server writes, over all its restarts; Log
	// keeps only the end.
	Output io.Writer
}

// Redis is a running Redis server. Its methods are safe for concurrent use.
type Redis struct {
	opts RedisOptions
	data string
	srv  *server
}

// StartRedis starts a Redis server and returns when it answers. The context
// bounds the start only; the server runs until Stop. When redis-server is
// missing the error matches [ErrNotInstalled].
func StartRedis(ctx context.Context, opts RedisOptions) (*Redis, error) {
	r, err := newRedis(opts)
	if err != nil {
		return nil, fmt.Errorf("servertest: %w", err)
	}
	if err := r.srv.launch(ctx); err != nil {
		return nil, fmt.Errorf("servertest: %w", errors.Join(err, r.srv.home.remove()))
	}
	r.srv.ready = r.answers
	return r, nil
}

// newRedis prepares a server without starting it.
func newRedis(opts RedisOptions) (*Redis, error) {
	binary, err := exec.LookPath(redisBinary)
	if err != nil {
		return nil, notInstalled(redisBinary)
	}
	home, err := newScratch(nil)
	if err != nil {
		return nil, err
	}
	r := &Redis{opts: opts, data: home.join("data")}
	if opts.Dir != "" {
		if r.data, err = filepath.Abs(opts.Dir); err != nil {
			return nil, errors.Join(err, home.remove())
		}
	}
	r.srv = &server{
		name: redisBinary, home: home, pickPort: randomPort,
		stopSignal: syscall.SIGTERM, onParentDeath: syscall.SIGTERM,
		ready: r.answers,
		command: func(port int) (*exec.Cmd, error) {
			config := home.join("redis.conf")
			if err := os.WriteFile(config, []byte(r.config(port)), 0o600); err != nil {
				return nil, err
			}
			command := append([]string{binary, config}, opts.Args...)
			if opts.CanFill {
				command = append(slices.Clone(ignoreFullDisk), command...)
			}
			return exec.Command(command[0], command[1:]...), os.MkdirAll(r.data, 0o700)
		},
	}
	r.srv.log.all = opts.Output
	if opts.ReplicaOf != nil {
		r.srv.ready = r.synchronised
	}
	return r, nil
}

func (r *Redis) config(port int) string {
	lines := []string{
		"bind 127.0.0.1",
		"port " + strconv.Itoa(port),
		"unixsocket " + strconv.Quote(r.SocketPath()),
		"unixsocketperm 700",
		"dir " + strconv.Quote(r.data),
		"daemonize no",
		`save ""`,
		// By default a replica waits 5 s for others to join its first
		// synchronisation.
		"repl-diskless-sync-delay 0",
	}
	if r.opts.AppendOnly {
		lines = append(lines, "appendonly yes")
	}
	if master := r.opts.ReplicaOf; master != nil {
		lines = append(lines, fmt.Sprintf("replicaof 127.0.0.1 %d", master.srv.port))
	}
	return strings.Join(lines, "\n") + "\n"
}

// answers reports nil once the server serves commands; while it loads its
// data it answers with an error.
func (r *Redis) answers(ctx context.Context, _ int) error {
	_, err := ask(ctx, r.SocketPath(), "PING")
	return err
}

// synchronised reports nil once the replica follows its master.
func (r *Redis) synchronised(ctx context.Context, _ int) error {
	info, err := ask(ctx, r.SocketPath(), "INFO", "replication")
	if err != nil {
		return err
	}
	if !strings.Contains(info, "master_link_status:up") {
		return errors.New("the link to the master is down")
	}
	return nil
}

// Addr returns the server's host and port. It never changes.
func (r *Redis) Addr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.srv.port))
}

// URL returns the server's address as a redis:// URL of database 0.
func (r *Redis) URL() string { return "redis://" + r.Addr() + "/0" }

// SocketPath returns the path of the server's unix socket.
func (r *Redis) SocketPath() string { return r.srv.home.join("redis.sock") }

// Pid returns the server's process id, or 0 while it is down. To end the
// server use Kill; one that goes down otherwise counts as crashed.
func (r *Redis) Pid() int { return r.srv.pid() }

// Log returns the end of what the server has written since its last start.
func (r *Redis) Log() string { return r.srv.log.String() }

// Stop shuts the server down for good and removes its temporary directory. It
// reports a server that had ended by itself, or that had to be killed because
// it did not shut down in time. Further calls do nothing.
func (r *Redis) Stop() error { return r.srv.stop(func() {}) }

// Kill ends the server with kill -9 and returns when it is gone. The port and
// the data stay, for Restart. Stop reports if killing failed.
func (r *Redis) Kill() { r.srv.kill() }

// Restart starts the server again on the same port and with the same data
// directory, after shutting it down if it is running. Without AppendOnly it
// comes back empty. The context bounds the start.
func (r *Redis) Restart(ctx context.Context) error {
	return r.srv.restart(ctx, func() error { return nil })
}

// RestartEmpty is Restart after the server's data files have been removed: a
// server that has lost its disk.
func (r *Redis) RestartEmpty(ctx context.Context) error {
	return r.srv.restart(ctx, r.wipe)
}

// wipe removes the files that Redis makes, and nothing else: the directory may
// be one that the caller named.
func (r *Redis) wipe() error {
	var errs []error
	for _, pattern := range dataFiles {
		found, err := filepath.Glob(filepath.Join(r.data, pattern))
		errs = append(errs, err)
		for _, path := range found {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}

// Pause stops the server in its tracks with SIGSTOP: connections stay open and
// nothing answers, as on a machine that hangs. It returns when no further
// command can be served.
func (r *Redis) Pause() error { return r.srv.signal(syscall.SIGSTOP, waitPaused) }

// Resume lets a paused server continue.
func (r *Redis) Resume() error {
	return r.srv.signal(syscall.SIGCONT, func(int) error { return nil })
}

// Reset removes all data and cached scripts, for the next test that shares the
// server, and resumes a paused one. Settings changed with CONFIG SET stay as
// they are.
func (r *Redis) Reset(ctx context.Context) error {
	if err := r.Resume(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, resetTimeout)
	defer cancel()
	for _, command := range [][]string{{"FLUSHALL"}, {"SCRIPT", "FLUSH"}} {
		if _, err := ask(ctx, r.SocketPath(), command...); err != nil {
			return fmt.Errorf("servertest: %s: %w", strings.Join(command, " "), err)
		}
	}
	return nil
}
