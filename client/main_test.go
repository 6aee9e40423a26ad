package client_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/conncord/conncord/events/servertest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	servertest.Main(leakChecked{m})
}

// leakChecked runs the tests and fails when one of them left a goroutine.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	// The shared servers are still running, and are stopped after this.
	const server = "github.com/conncord/conncord/events/servertest.startProcess.func1"
	if err := goleak.Find(goleak.IgnoreAnyFunction(server), goleak.IgnoreAnyFunction(server+".1")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}
