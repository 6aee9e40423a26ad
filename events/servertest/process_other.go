//go:build !linux

package servertest

import "syscall"

// dieWithParent does nothing: this system cannot tie a child's life to its
// parent's, and servers outlive a parent that is killed with kill -9.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}

// waitPaused does nothing; the signal takes effect within microseconds.
func waitPaused(int) error { return nil }

// removeSharedMemory does nothing; a killed PostgreSQL leaves a segment of
// some bytes behind until the machine reboots.
func removeSharedMemory(int) {}
