package world

import (
	"os"

	"github.com/conncord/conncord/cmd/demo/service"
)

// Main has the program be one of the processes that a world starts, where it was
// started as one, and ends it then. A program that makes a world calls it first.
func Main() {
	if len(os.Args) != 2 {
		return
	}
	switch os.Args[1] {
	case service.Subcommand:
		os.Exit(service.Run(os.Stdin, os.Stdout, os.Stderr))
	case arbiterCommand:
		os.Exit(runArbiter(os.Stdin, os.Stdout, os.Stderr))
	}
}
