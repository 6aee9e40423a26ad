package arbiter_test

import (
	"os"
	"testing"

	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(tidy{m})) }

// tidy runs the tests and removes the program that they built.
type tidy struct{ m *testing.M }

func (t tidy) Run() int {
	code := t.m.Run()
	if programDir != "" {
		_ = os.RemoveAll(programDir)
	}
	return code
}
