package servertest

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel send sig to the child when the thread that
// starts it ends, which it also does when this process is killed with kill -9.
// The kernel forgets the wish when a process changes its user, but Go makes it
// after the change, so it holds for PostgreSQL run as another user, too.
func dieWithParent(attr *syscall.SysProcAttr, sig syscall.Signal) {
	attr.Pdeathsig = sig
}

// waitPaused waits until the child pid has come to a halt after SIGSTOP (or
// has ended): the signal is on its way when kill returns, and a server could
// serve one more command. The child's state is left for others to wait for.
func waitPaused(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == nil || errors.Is(err, unix.ECHILD):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		default:
			return fmt.Errorf("waiting for process %d to pause: %w", pid, err)
		}
	}
}

// removeSharedMemory removes a System V shared memory segment. PostgreSQL
// marks its data directory as being in use with a tiny one, and a killed
// server leaves it behind until the machine reboots.
func removeSharedMemory(id int) {
	_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
}
