// Command replay proves what the history of a budget says, and shows any moment of
// it: from a live Redis, from an exported file, from an archive.
//
// "replay --help" lists the commands; package replay is the program.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/replay/replay"
)

// silence takes the Redis library's own log lines. The program says itself when
// Redis is away.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// gcPercent lets the heap, which is small, grow more before it is collected: a long
// history is then read faster by a half, and takes some 20 MB at most.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	redis.SetLogger(silence{})
	os.Exit(replay.Run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
