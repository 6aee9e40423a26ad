package client

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/conncord/conncord/client/internal/pool"
	"github.com/conncord/conncord/events"
)

// OpenDB returns a database/sql pool on the PostgreSQL at the URL, default
// Config.DatabaseURL, whose physical connections never exceed the lease. It is a
// genuine *sql.DB on pgx's driver. Leave its SetMaxOpenConns to the coordinator;
// everything else is yours. Closing it closes it alone.
func (c *Coordinator) OpenDB(url string) (*sql.DB, error) {
	url, err := c.databaseURL(url)
	if err != nil {
		return nil, err
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, badURL(err)
	}
	db, p, err := pool.OpenSQL(c.gate, cfg, c.poolOptions())
	if err != nil {
		return nil, fmt.Errorf("open a database/sql pool: %w", err)
	}
	if err := c.enlist(p); err != nil {
		return nil, err
	}
	return db, nil
}

// OpenPgxPool returns a pgx pool on the PostgreSQL at the URL, default
// Config.DatabaseURL, whose physical connections never exceed the lease. It is a
// genuine *pgxpool.Pool. Its MaxConns is Config.MaxConns: what the lease does not
// allow is kept occupied by placeholders, which count as acquired in Stat.
// Settings of a pool in the URL are used, but for the pool_max_conns and
// pool_min_conns: the lease decides these.
func (c *Coordinator) OpenPgxPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	url, err := c.databaseURL(url)
	if err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, badURL(err)
	}
	return c.OpenPgxPoolConfig(ctx, cfg)
}

// OpenPgxPoolConfig is [Coordinator.OpenPgxPool] with a configuration of your
// own, made by pgxpool.ParseConfig.
func (c *Coordinator) OpenPgxPoolConfig(ctx context.Context, cfg *pgxpool.Config) (*pgxpool.Pool, error) {
	pgx, p, err := pool.OpenPgx(ctx, c.gate, cfg, c.poolOptions())
	if err != nil {
		return nil, fmt.Errorf("open a pgx pool: %w", err)
	}
	if err := c.enlist(p); err != nil {
		return nil, err
	}
	return pgx, nil
}

// databaseURL returns the URL to use. None at all would mean the server on this
// host, which nobody asked for unless libpq's environment names one.
func (c *Coordinator) databaseURL(url string) (string, error) {
	url = cmp.Or(url, c.cfg.DatabaseURL)
	if url == "" && os.Getenv("PGHOST") == "" && os.Getenv("PGSERVICE") == "" {
		return "", errors.New("no database is named: set DATABASE_URL, or pass a URL")
	}
	return url, nil
}

// badURL keeps the driver's message, which hides the password.
func badURL(err error) error {
	return fmt.Errorf("the database URL is not usable (set DATABASE_URL, or pass one): %w", err)
}

func (c *Coordinator) poolOptions() pool.Options {
	return pool.Options{
		Name: c.applicationName, Ceiling: c.cfg.MaxConns, Logger: c.log,
		Exhausted: func(err error) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.exhaustedLocked(err)
		},
	}
}

// applicationName is what a new connection calls itself in the database.
func (c *Coordinator) applicationName() string {
	return events.ApplicationName(c.cfg.Budget, c.cfg.Service, c.id)
}

// enlist takes a new pool in, or closes it when the coordinator is closed.
func (c *Coordinator) enlist(p pool.Pool) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return errors.Join(ErrClosed, p.Close(c.ctx))
	}
	c.pools = append(c.pools, &member{Pool: p})
	c.enforceLocked(time.Now())
	c.mu.Unlock()
	ring(c.samplerBell)
	return nil
}
