package pool

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// serverHolds reports whether the kernel knows of no end of the connection. It asks for the state of the socket and
// touches no byte, so it disturbs neither a reader nor TLS; and it sees an end that lies behind bytes that nobody has
// read, as the server's last message does. What is no socket of this kernel proves nothing.
func serverHolds(conn net.Conn) bool {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	holds := false
	// Control, because raw.Read would wait for the one who is reading.
	err = raw.Control(func(fd uintptr) {
		state := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(state, 0)
		holds = err == nil && n == 0 // what is reported is an end: of the stream, of the connection, or by an error
	})
	return err == nil && holds
}
