package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/conncord/conncord/events/servertest"
)

// serverWithin bounds what is done to a server.
const serverWithin = 30 * time.Second

// Redis is a master, which all links lead to, and a replica of it, whose own
// link to the master can be cut. The roles change when the replica is promoted.
type Redis struct {
	Master  *servertest.Redis
	replica *servertest.Redis
	between *Link // from the replica to the master
	links   []*Link
	copies  string // directory with old copies of the master's data
}

func startRedis(ctx context.Context, board *switchboard, log io.Writer) (r *Redis, err error) {
	opts := servertest.RedisOptions{AppendOnly: true, CanFill: true, Output: log}
	r = &Redis{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop())
		}
	}()
	if r.copies, err = os.MkdirTemp("", "conncord-chaos-"); err != nil {
		return r, err
	}
	if r.Master, err = servertest.StartRedis(ctx, opts); err != nil {
		return r, err
	}
	if r.replica, err = servertest.StartRedis(ctx, opts); err != nil {
		return r, err
	}
	if r.between, err = board.connect("the replica", r.Master.Addr()); err != nil {
		return r, err
	}
	return r, r.follow(ctx)
}

// follow makes the replica follow the master, through the link between them.
func (r *Redis) follow(ctx context.Context) error {
	host, port, _ := net.SplitHostPort(r.between.Addr())
	_, err := r.replica.Do(ctx, "REPLICAOF", host, port)
	return err
}

func (r *Redis) stop() error {
	var errs []error
	if r.between != nil {
		r.between.Cut()
	}
	for _, server := range []*servertest.Redis{r.replica, r.Master} {
		if server != nil {
			errs = append(errs, server.Stop())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(r.copies))...)
}

// Set changes a setting of the master.
func (r *Redis) Set(ctx context.Context, name, value string) error {
	_, err := r.Master.Do(ctx, "CONFIG", "SET", name, value)
	return err
}

// Save copies the master's data as it is on the disk now. Call the function that
// it returns to have the master, which must have been killed, go back to that.
func (r *Redis) Save() (goBack func(context.Context) error, err error) {
	to := filepath.Join(r.copies, "data")
	if err := os.RemoveAll(to); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return r.Master.RestartWith(ctx, to) }, r.Master.SaveData(to)
}

// Lag cuts the replica off: from here on it misses what is written.
func (r *Redis) Lag() { r.between.Cut() }

// Promote kills the master and makes the replica, with what it has, the master
// that all links lead to.
func (r *Redis) Promote(ctx context.Context) error {
	r.Master.Kill()
	if _, err := r.replica.Do(ctx, "REPLICAOF", "NO", "ONE"); err != nil {
		return fmt.Errorf("promote the replica: %w", err)
	}
	r.Master, r.replica = r.replica, r.Master
	var errs []error
	for _, l := range r.links {
		errs = append(errs, l.Point(r.Master.Addr()))
	}
	return errors.Join(errs...)
}

// Rejoin starts the former master, empty, as the replica of the new one.
func (r *Redis) Rejoin(ctx context.Context) error {
	if err := r.replica.RestartEmpty(ctx); err != nil {
		return err
	}
	return errors.Join(r.between.Point(r.Master.Addr()), r.between.Mend(), r.follow(ctx))
}
