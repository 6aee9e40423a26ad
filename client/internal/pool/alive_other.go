//go:build !linux

package pool

import "net"

// serverHolds would need the state of the socket. Without it there is no lifeline, and no floor but a container's that
// goes on alone.
func serverHolds(net.Conn) bool { return false }
