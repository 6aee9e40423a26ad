// Command sim runs simulated deployments in virtual time and looks for moments at
// which something does not hold that must always hold. The package simulation
// says more.
package main

import (
	"os"

	"github.com/conncord/conncord/cmd/sim/simulation"
)

func main() { os.Exit(simulation.Main(os.Args[1:], os.Stdout, os.Stderr)) }
