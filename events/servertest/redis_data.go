package servertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Do sends one command to the server over its unix socket, past whatever lies
// between its clients and its port, and returns the reply: text or a number. No
// word may hold a space.
func (r *Redis) Do(ctx context.Context, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, resetTimeout)
	defer cancel()
	return ask(ctx, r.SocketPath(), command...)
}

// dataFiles are the files and directories that Redis makes for its data.
var dataFiles = []string{"appendonlydir", "appendonly.aof*", "dump.rdb", "temp-*.rdb", "temp-*.aof"}

// SaveData copies the server's data files to a directory, which is made: what
// the disk holds at this moment. The server is paused for that long.
func (r *Redis) SaveData(to string) error {
	if err := r.Pause(); err != nil {
		return err
	}
	return errors.Join(copyData(r.data, to), r.Resume())
}

// RestartWith is Restart after the server's data files have been replaced by
// what SaveData copied: a server whose disk is an old one.
func (r *Redis) RestartWith(ctx context.Context, from string) error {
	return r.srv.restart(ctx, func() error {
		return errors.Join(r.wipe(), copyData(from, r.data))
	})
}

// copyData copies the data files from one directory to another.
func copyData(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, pattern := range dataFiles {
		found, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			if err := copyTree(path, filepath.Join(to, filepath.Base(path))); err != nil {
				return fmt.Errorf("copy Redis' data: %w", err)
			}
		}
	}
	return nil
}

func copyTree(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
