package projector_test

import (
	"testing"

	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(m)) }
