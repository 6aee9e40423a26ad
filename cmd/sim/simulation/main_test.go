package simulation

import (
	"runtime/debug"
	"testing"

	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(gcPercent)
	servertest.Main(leakcheck.Wrap(m))
}
