//go:build !linux

package servertest

// Only Linux ends servers with their parent, so there is no parent to act as.
const parentEnv = "CONNCORD_SERVERTEST_PARENT"

func actAsParent() {}

func zombie(int) bool { return false }

// Only Linux lets us look for, and remove, a segment that is left behind.
func sharedMemoryExists(int) bool { return false }
