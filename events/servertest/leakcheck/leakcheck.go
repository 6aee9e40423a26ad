// Package leakcheck fails a test binary in which a test left a goroutine. It is
// apart from servertest because only tests need it, and servertest also serves
// the demo.
package leakcheck

import (
	"fmt"
	"os"

	"go.uber.org/goleak"
)

// server is what waits for a shared server, which is stopped after the tests.
const server = "github.com/conncord/conncord/events/servertest.startProcess.func1"

// Tests is a test binary's tests: a *testing.M.
type Tests interface{ Run() int }

// Wrap returns the tests with the check after them, for servertest.Main.
func Wrap(tests Tests) Tests { return checked{tests} }

type checked struct{ tests Tests }

// Run runs the tests and returns the exit status.
func (c checked) Run() int {
	code := c.tests.Run()
	if err := goleak.Find(goleak.IgnoreAnyFunction(server), goleak.IgnoreAnyFunction(server+".1")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}
