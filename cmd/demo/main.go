// Command demo shows Conncord at work: five services, each a process of its own,
// want more connections than one PostgreSQL has, and none is ever refused.
//
// It starts what it needs and removes it afterwards, takes DURATION (default 30s)
// and ends with one line that a script can read. The package show says more.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/cmd/demo/show"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == service.Subcommand:
		os.Exit(service.Run(os.Stdin, os.Stdout, os.Stderr))
	case len(os.Args) > 1:
		fmt.Fprintln(os.Stderr, show.Usage)
		os.Exit(show.ExitUsage)
	}
	os.Exit(show.Run(context.Background(), os.Getenv, os.Stdout, os.Stderr))
}
