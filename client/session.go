package client

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// Session returns one connection of a pool on Config.DatabaseURL that the
// coordinator opens by itself. Close the connection to return it to the pool.
// While the container has none to spare it waits, and when the context ends it
// returns an [*ExhaustedError].
func (c *Coordinator) Session(ctx context.Context) (*sql.Conn, error) {
	db, err := c.sessions()
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrExhausted) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return nil, c.exhaustedLocked(err)
	}
	return conn, err
}

func (c *Coordinator) sessions() (*sql.DB, error) {
	c.opening.Lock()
	defer c.opening.Unlock()
	if c.db == nil {
		db, err := c.OpenDB("")
		if err != nil {
			return nil, err
		}
		c.db = db
	}
	return c.db, nil
}

// The coordinator of those who do not make one.
var (
	defaultMu          sync.Mutex
	defaultCoordinator *Coordinator
)

// Default returns the coordinator of this process, which the first call makes
// from the environment: see [ConfigFromEnv]. The context bounds the joining.
func Default(ctx context.Context) (*Coordinator, error) {
	defaultMu.Lock()
	defer defaultMu.Unlock()
	if defaultCoordinator == nil {
		c, err := FromEnv(ctx)
		if err != nil {
			return nil, err
		}
		defaultCoordinator = c
	}
	return defaultCoordinator, nil
}

// Session returns a connection of the [Default] coordinator. Just use it:
// coordination is automatic.
func Session(ctx context.Context) (*sql.Conn, error) {
	c, err := Default(ctx)
	if err != nil {
		return nil, err
	}
	return c.Session(ctx)
}

// Close closes the [Default] coordinator, if there is one. A later call of
// Default makes a new one.
func Close(ctx context.Context) error {
	defaultMu.Lock()
	defer defaultMu.Unlock()
	if defaultCoordinator == nil {
		return nil
	}
	err := defaultCoordinator.Close(ctx)
	defaultCoordinator = nil
	return err
}
