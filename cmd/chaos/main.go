// Command chaos lets everything go wrong that can around Conncord, for as long
// as it is told to, and ends with one line that says whether it kept its
// promises.
//
// It starts what it needs and removes it afterwards. "chaos -help" lists the
// settings; package trial says more.
package main

import (
	"context"
	"os"

	"github.com/conncord/conncord/cmd/chaos/trial"
	"github.com/conncord/conncord/cmd/chaos/world"
)

func main() {
	world.Main()
	os.Exit(trial.Run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
