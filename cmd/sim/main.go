// Command sim runs simulated deployments in virtual time and looks for moments at
// which something does not hold that must always hold. The package simulation
// says more.
package main

import (
	"os"
	"runtime/debug"

	"github.com/conncord/conncord/cmd/sim/simulation"
)

// garbage is how much a world may leave behind before it is collected, in percent
// of what lives: little does, so that a fifth of a gigabyte buys half as much speed
// again.
const garbage = 800

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	os.Exit(simulation.Main(os.Args[1:], os.Stdout, os.Stderr))
}
