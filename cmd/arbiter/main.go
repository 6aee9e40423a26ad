// Command arbiter shares out the connections of one database among its
// containers. Run two or more for each budget: one leads, the others stand by.
//
// "arbiter --help" lists the settings; package daemon is the program.
package main

import (
	"context"
	"os"

	"github.com/conncord/conncord/cmd/arbiter/daemon"
)

func main() {
	os.Exit(daemon.Run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}
