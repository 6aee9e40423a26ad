package pool

import (
	"testing"

	"github.com/conncord/conncord/events/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }
