package metrics_test

import (
	"os"
	"testing"

	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Wrap(m).Run()) }
