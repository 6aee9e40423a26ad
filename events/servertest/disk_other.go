//go:build !linux

package servertest

import (
	"errors"
	"fmt"
)

var ignoreFullDisk []string

// FillDisk needs a limit on file sizes that can be set for another process,
// which only Linux has.
func (r *Redis) FillDisk() error {
	return fmt.Errorf("servertest: fill the disk: %w", errors.ErrUnsupported)
}

// FreeDisk does nothing: no disk can have been filled.
func (r *Redis) FreeDisk() error { return nil }
