// Command arbiter shares out the connections of one database among its
// containers. Run two or more for each budget: one leads, the others stand by.
//
// "arbiter --help" lists the settings; package daemon is the program.
package main

import (
	"context"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/arbiter/daemon"
)

// silence takes the Redis library's own log lines, which are not in the form of
// the others. The arbiter says once what they say with each try.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func main() {
	redis.SetLogger(silence{})
	os.Exit(daemon.Run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}
