// Package leakcheck fails a test binary in which a test left a goroutine. It is
// apart from servertest because only tests need it, and servertest also serves
// the demo.
package leakcheck

import (
	"fmt"
	"os"
	"time"

	"go.uber.org/goleak"
)

// server is what waits for a shared server, which is stopped after the tests.
const server = "github.com/conncord/conncord/events/servertest.startProcess.func1"

// patience is how long a goroutine has to end. The Redis library looks only once
// a second, in a goroutine of its own, whether a pool whose dials failed was
// closed meanwhile.
const patience = 4 * time.Second

// Tests is a test binary's tests: a *testing.M.
type Tests interface{ Run() int }

// Wrap returns the tests with the check after them, for servertest.Main.
func Wrap(tests Tests) Tests { return checked{tests} }

type checked struct{ tests Tests }

// Run runs the tests and returns the exit status.
func (c checked) Run() int {
	code := c.tests.Run()
	leaked := func() error {
		return goleak.Find(goleak.IgnoreAnyFunction(server), goleak.IgnoreAnyFunction(server+".1"))
	}
	err := leaked()
	for late := time.Now().Add(patience); err != nil && time.Now().Before(late); {
		err = leaked() // it looks for some hundred milliseconds by itself
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}
