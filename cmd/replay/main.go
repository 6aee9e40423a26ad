// Command replay proves what the history of a budget says, and shows any moment of
// it: from a live Redis, from an exported file, from an archive.
//
// "replay --help" lists the commands; package replay is the program.
package main

import (
	"context"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/replay/replay"
)

// silence takes the Redis library's own log lines. The program says itself when
// Redis is away.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func main() {
	redis.SetLogger(silence{})
	os.Exit(replay.Run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
