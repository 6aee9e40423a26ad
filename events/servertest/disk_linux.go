package servertest

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// ignoreFullDisk starts the command that follows such that a write past the
// limit on file sizes fails, as on a full disk, instead of ending the process.
var ignoreFullDisk = []string{"/bin/sh", "-c", `trap "" XFSZ; exec "$@"`, "sh"}

// FillDisk makes every write of the server to a file fail, as on a full disk:
// Redis then refuses to change anything (MISCONF). The option CanFill must be
// set. A restart ends it, and so does FreeDisk. The error matches
// [errors.ErrUnsupported] where the system cannot do that.
func (r *Redis) FillDisk() error { return r.limitFiles(0) }

// FreeDisk ends what FillDisk began.
func (r *Redis) FreeDisk() error { return r.limitFiles(unix.RLIM_INFINITY) }

func (r *Redis) limitFiles(bytes uint64) error {
	if !r.opts.CanFill {
		return fmt.Errorf("servertest: the option CanFill is not set")
	}
	return r.srv.signal(syscall.Signal(0), func(pid int) error {
		var now unix.Rlimit
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &now); err != nil {
			return fmt.Errorf("read the limit on file sizes: %w", err)
		}
		now.Cur = min(bytes, now.Max) // only root could raise the other one again
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &now, nil); err != nil {
			return fmt.Errorf("limit file sizes: %w", err)
		}
		return nil
	})
}
